from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skincli.config.data import PartsConfig
from skincli.data import PARTS
from skincli.data.splits import assign_parts, lesion_diagnoses
from skincli.errors import DataError
from skincli.taxonomy import DIAGNOSIS_CODES


@st.composite
def lesions(draw: st.DrawFn) -> dict[str, str]:
    """Lesions with ids of any text; every diagnosis that occurs has at least four."""
    codes = draw(st.lists(st.sampled_from(DIAGNOSIS_CODES), min_size=1, unique=True))
    counts = {code: draw(st.integers(4, 30)) for code in codes}
    total = sum(counts.values())
    ids = draw(st.lists(st.text(min_size=1), min_size=total, max_size=total, unique=True))
    labels = [code for code, count in counts.items() for _ in range(count)]
    return dict(zip(ids, labels, strict=True))


@st.composite
def shares(draw: st.DrawFn) -> PartsConfig:
    weights = draw(st.lists(st.integers(1, 100), min_size=4, max_size=4))
    train, validation, calibration, _ = (weight / sum(weights) for weight in weights)
    rest = 1 - train - validation - calibration
    return PartsConfig(
        train=train, validation=validation, calibration=calibration, test=rest, seed=weights[0]
    )


@given(lesions(), shares())
def test_every_lesion_has_a_part_and_every_diagnosis_is_in_every_part(
    diagnoses: dict[str, str], split: PartsConfig
) -> None:
    parts = assign_parts(diagnoses, split)
    assert parts.keys() == diagnoses.keys()
    seen = {(diagnoses[lesion], part) for lesion, part in parts.items()}
    assert seen == {(dx, part) for dx in set(diagnoses.values()) for part in PARTS}


@given(lesions(), st.randoms())
def test_the_order_of_lesions_plays_no_role(diagnoses: dict[str, str], random) -> None:
    shuffled = list(diagnoses.items())
    random.shuffle(shuffled)
    split = PartsConfig()
    assert assign_parts(dict(shuffled), split) == assign_parts(diagnoses, split)


def test_the_seed_changes_the_parts() -> None:
    diagnoses = {f"L{i}": "nv" for i in range(200)}
    first = assign_parts(diagnoses, PartsConfig(seed=0))
    second = assign_parts(diagnoses, PartsConfig(seed=1))
    assert first != second


def test_shares_hold_within_each_diagnosis() -> None:
    diagnoses = {f"{dx}{i}": dx for dx in ("nv", "mel") for i in range(1000)}
    parts = assign_parts(diagnoses, PartsConfig())
    for dx in ("nv", "mel"):
        counts = Counter(part for lesion, part in parts.items() if diagnoses[lesion] == dx)
        assert counts == {"train": 700, "validation": 100, "calibration": 80, "test": 120}


def test_the_assignment_is_the_same_on_every_machine_and_version() -> None:
    """Changing it would mix the test lesions of released models into training."""
    parts = assign_parts({f"L{i}": "nv" for i in range(10)}, PartsConfig())
    assert {lesion: part for lesion, part in parts.items() if part != "train"} == {
        "L4": "validation",
        "L7": "test",
        "L8": "calibration",
    }


def test_a_diagnosis_with_too_few_lesions_is_named() -> None:
    diagnoses = {f"nv{i}": "nv" for i in range(9)} | {"a": "mel", "b": "mel", "c": "mel"}
    with pytest.raises(DataError, match="mel has 3"):
        assign_parts(diagnoses, PartsConfig())


def test_a_lesion_takes_its_most_frequent_diagnosis_and_ties_go_by_code() -> None:
    pairs = [("a", "nv"), ("a", "mel"), ("a", "nv"), ("b", "nv"), ("b", "bkl")]
    assert lesion_diagnoses(pairs) == {"a": "nv", "b": "bkl"}
