"""The commands that a dry run shows: what a start does, for a shell."""

import os
import subprocess

import pytest
from setting_up import IMAGE, NAME, failures, set_up


def test_a_dry_run_changes_nothing_and_shows_no_token(place):
    place.docker.forget_image()
    result = set_up(place, dry_run=True)
    assert not result.started
    assert place.docker.changes() == []
    assert result.commands[0] == f"docker pull --quiet {IMAGE}"
    assert " -e REPO_TOKEN -e _CML_RUNNER_SENSITIVE_ENV=REPO_TOKEN " in result.commands[-1]
    levels = {check.name: check.level for check in result.checks}
    assert (levels["image"], levels["NVIDIA container toolkit"]) == ("warning", "warning")
    place.assert_token_stayed_secret(repr(result))


def shell(place, commands):
    """The lines as somebody types them, in a shell that stops at the first that fails."""
    environ = place.environ | {"PATH": f"{place.docker.folder}:{os.environ['PATH']}"}
    script = "set -euo pipefail\n" + "\n".join(commands)
    subprocess.run(["bash", "-c", script], env=environ, check=True, capture_output=True)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"labels": "gpu,a100", "idle_timeout": "1h", "gpu": False, "shm_size": "512m"},
        {"single": True, "name": "gpu.2", "volume": "kept_here", "cml_image": "a/b:c"},
        {"uri": "sqlite:////skincli/50%s of $HOME's \\n.db"},
    ],
)
def test_the_commands_shown_do_what_a_start_does(place, settings):
    place.docker.forget_image()
    settings = dict(settings)
    uri = settings.pop("uri", None)
    typed = set_up(place, dry_run=True, uri=uri, settings=settings.items()).commands
    shell(place, typed)
    by_hand = place.docker.changes()
    assert len(place.runners) == 1
    name = settings.get("name", NAME)
    for words in (("stop", name), ("rm", name)):
        place.docker.run(*words)
    place.docker.forget_image()
    before = len(place.docker.changes())
    set_up(place, uri=uri, settings=settings.items())
    by_itself = place.docker.changes()[before:]
    assert [call["argv"] for call in by_hand] == [call["argv"] for call in by_itself]
    assert by_hand[-1]["env"]["REPO_TOKEN"] == by_itself[-1]["env"]["REPO_TOKEN"]


def test_the_commands_shown_for_a_replacement_do_what_it_does(place):
    set_up(place)
    place.ghost("cml-01234567ab")
    typed = set_up(place, dry_run=True, replace=True).commands
    assert place.token not in "\n".join(typed)
    before = len(place.docker.changes())
    shell(place, typed)
    verbs = [call["argv"][0] for call in place.docker.changes()[before:]]
    assert verbs == ["run", "stop", "rm", "run"]
    assert [each.status for each in place.runners] == ["online"]


def test_without_a_configuration_pasted_lines_make_no_container(place):
    """Into a shell that goes on after a line that failed, as that of a person does."""
    typed = set_up(place, dry_run=True, settings={"engine": "actions"}.items()).commands
    environ = place.environ | {"PATH": f"{place.docker.folder}:{os.environ['PATH']}"}
    environ["REPO_TOKEN"] = "weak"
    done = subprocess.run(
        "sh", input="\n".join(typed), env=environ, capture_output=True, text=True, check=False
    )
    assert "403" in done.stderr or "404" in done.stderr
    assert [call["argv"][0] for call in place.docker.changes()][-2:] == ["pull", "run"]
    assert place.docker.calls("create") == []


def test_a_dry_run_lists_everything_that_fails(place):
    place.docker.play_driver("NVIDIA-SMI has failed because it couldn't communicate", 9)
    place.docker.play(toolkit="broken")
    place.docker.add(NAME)
    result = set_up(
        place,
        dry_run=True,
        environ=place.docker.environ,
        uri="sqlite:///mine.db",
        settings={"repo": None}.items(),
    )
    failed = failures(result)
    assert failed.keys() == {
        *("NVIDIA driver", "container name", "token", "repository", "tracking store"),
        "NVIDIA container toolkit",
    }
    assert all(check.mend for check in failed.values())
    assert "OWNER/NAME" in "\n".join(result.commands)
