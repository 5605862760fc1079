"""Runners that were left behind, and those that only look like it."""

from setting_up import check_of, set_up

MADE_UP = ("cml-01234567ab", "1q2w3e4r5t", "skincli-runner-0a1b2c")
CHOSEN = (
    "somebodys-workstation",
    "gpuserver",
    "trainbox01",
    "laboratory",
    "cml-laboratory",
    "cml-anna",
    "skincli-runner2-abcdef",
    "skincli-runner-at-home",
)


def test_ghosts_are_told_of_and_left(place):
    for name in (*MADE_UP, *CHOSEN):
        place.ghost(name, labels=("self-hosted", "CML-GPU"))
    place.ghost("cml-98765432ab", labels=("self-hosted", "arm"))
    place.ghost("cml-0at0work00", status="online")
    check = check_of(set_up(place), "ghosts")
    assert check.level == "warning"
    told, _, kept = check.found.partition("; of a name that no engine made up, and kept: ")
    assert told.endswith(f"offline: {', '.join(MADE_UP)}")
    assert kept == ", ".join(CHOSEN)
    assert len(place.runners) == len(MADE_UP) + len(CHOSEN) + 3


def test_what_somebody_named_is_no_ghost_and_outlives_a_replacement(place):
    for name in CHOSEN:
        place.ghost(name)
    result = set_up(place, replace=True)
    check = check_of(result, "ghosts")
    assert (check.level, check.found.startswith("none; ")) == ("ok", True)
    assert {each.name for each in place.runners} == {*CHOSEN, result.runner.name}
