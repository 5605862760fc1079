"""The whole way once: a first model, new images, training on the workflow's steps, a new champion.

`make loop` shows what it does. The images are synthetic.
"""

import sys
from pathlib import Path

import pytest
from commands import skincli
from running import Service, service, wait_for
from workflow_github import GitHub, git
from workflow_steps import Job

# Enough lesions for a first model that passes, and for a second one that is plainly better.
FIRST, GROWN = 260, 600
SETTINGS = f"""# The images are synthetic, and so are the floors.
experiment: demo
data:
  synthetic:
    lesions: {FIRST}
promotion:
  automatic: true
  max_ece: 0.15
serve:
  poll_seconds: 0.5
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Person:
    """Who owns the repository, at a terminal that shows what is typed and answered."""

    def __init__(self, folder: Path, github: GitHub, dvc: str):
        self.folder = folder
        volume = github.volume
        self.environ = {
            "SKINCLI__VERSIONING__DVC": dvc,
            "SKINCLI__TRACKING__URI": f"sqlite:///{volume}/mlflow.db",
            "SKINCLI__RUN__ROOT": str(volume / "runs"),
            "SKINCLI__EVALUATE__ROOT": str(volume / "evaluations"),
        }

    def types(self, line: str):
        say(f"$ skincli {line}")
        done = skincli(self.folder, *line.split(), **self.environ)
        sys.stdout.write(done.out)
        return done

    def asks(self, line: str):
        return skincli(self.folder, *line.split(), "--json", **self.environ).data

    def commits(self, message: str) -> None:
        say(f'$ git add --all && git commit -m "{message}"')
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "-m", message)


def say(text: str) -> None:
    sys.stdout.write(f"\n\033[1m{text}\033[0m\n")


def show(job: Job) -> None:
    """The steps of a job, each with the end of what it printed."""
    for step in job.steps:
        say(f"· {step.name}")
        sys.stdout.write("".join(f"  {line}\n" for line in step.output.splitlines()[-12:]))


@pytest.fixture
def github(tmp_path, index, api):
    folder = tmp_path / "lesions"
    folder.mkdir()
    git(folder, "init")
    git(folder, "remote", "add", "origin", "https://github.com/anna/lesions")
    (folder / "skincli.yaml").write_text(SETTINGS)
    github = GitHub(tmp_path, "anna/lesions", folder, index, api)
    github.volume.mkdir()
    return github


def test_new_images_end_in_a_new_champion_that_the_running_server_takes_up(github, dvc):
    anna = Person(github.source, github, dvc)
    first = first_champion(anna)
    with service(anna.folder, **anna.environ) as running:
        wait_for(running.is_ready, "the first champion is served")
        assert running.version() == "1"
        new_images(anna)
        say("GitHub runs train.yml on the machine")
        job = github.train()
        show(job)
        job.require_ok()
        run = job.outputs["train"]["outputs"]["run"]
        takes_up(running, "2")
        assert running.get("/v1/model").json()["digest"] == bundle_of(anna, run)
    history = anna.asks("models history")
    assert [(e["change"]["action"], e["change"]["after"]) for e in history] == [
        ("promote", "1"),
        ("challenge", "2"),
        ("promote", "2"),
    ]
    anna.types("models history")
    measured_on_the_same_images(anna, first, run, history[-1]["change"]["evidence"])
    [comment] = github.api.comments[f"commits/{github.sha}"]
    assert "is now champion, before: version 1" in comment["body"]
    its_data_come_back(anna, first)


def first_champion(anna: Person) -> str:
    """Version 1 of the data, and the model of it."""
    for line in (
        "runner-setup --write-workflows",
        "data fetch",
        "data prepare",
        "data version",
        f"data remote {anna.folder.parent / 'remote'}",
        "data push",
    ):
        anna.types(line)
    anna.commits("Settings, workflows, and the first images")
    for line in ("train", "evaluate latest", "promote latest"):
        anna.types(line)
    [version] = anna.asks("models list")
    assert version["aliases"] == ["champion"]
    return str(version["run_id"])


def new_images(anna: Person) -> None:
    """Version 2 of the data: the same images and more, and nothing changes its part."""
    settings = anna.folder / "skincli.yaml"
    settings.write_text(settings.read_text().replace(str(FIRST), str(GROWN)))
    for line in ("data fetch", "data prepare", "data check", "data version", "data push"):
        anna.types(line)
    anna.commits("New images")


def takes_up(running: Service, version: str) -> None:
    wait_for(lambda: running.version() == version, f"version {version} is served")
    say(f"The running server answers as version {version}")


def bundle_of(anna: Person, run: str) -> str:
    [version] = [v for v in anna.asks("models list") if v["run_id"] == run]
    return str(version["digest"])


def measured_on_the_same_images(anna: Person, first: str, second: str, evidence) -> None:
    compared = anna.asks(f"compare {second} {first}")
    assert compared["test_fingerprint"].startswith(evidence["test_split"])
    assert compared["figures"]["balanced_accuracy"]["difference"]["low"] > 0
    assert all(check["ok"] for check in evidence["checks"])


def its_data_come_back(anna: Person, first: str) -> None:
    """What the first model learned from, as it was."""
    anna.types(f"data checkout {first}")
    settings = anna.folder / "skincli.yaml"
    settings.write_text(settings.read_text().replace(str(GROWN), str(FIRST)))
    [trained] = [m for m in anna.asks("models list") if m["run_id"] == first]
    manifest = anna.asks("data prepare")
    assert manifest["created"] is False, trained
