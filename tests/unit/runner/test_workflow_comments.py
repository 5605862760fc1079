"""The script that posts the report of a training, run by node against a stand-in of GitHub."""

import shutil

import pytest
import yaml
from services import require
from standins.comments import CommentsStandIn
from workflow_github import run_script

from skincli.reporting.head import MARKER
from skincli.runner.workflows.render import Repository, render

SHA = "5f3c" * 10
PUSH = {"repository": "anna/lesions", "sha": SHA, "event_name": "push"}
BOT = "github-actions[bot]"


@pytest.fixture(scope="module")
def script() -> str:
    require(shutil.which("node"), "node")
    repository = Repository("anna/lesions", "main", ("cml-gpu",), "0.1.0")
    workflow = yaml.safe_load(render("train.yml", repository))
    return str(workflow["jobs"]["post"]["steps"][-1]["with"]["script"])


@pytest.fixture
def api():
    with CommentsStandIn() as server:
        yield server


@pytest.fixture
def post(script, api, tmp_path):
    def run(report="# Report\n", github=PUSH):
        (tmp_path / "report").mkdir(exist_ok=True)
        (tmp_path / "report" / "report.md").write_text(f"{MARKER}\n\n{report}")
        return run_script(tmp_path, script, github, api.url)

    return run


def test_without_a_pull_request_the_commit_gets_the_report(post, api):
    done = post()
    assert done.returncode == 0, done.stderr
    [comment] = api.comments[f"commits/{SHA}"]
    assert comment["html_url"] in done.stdout
    assert "# Report" in comment["body"]
    assert "https://github.com/anna/lesions/actions/runs/7" in comment["body"]
    assert f"Commit {SHA[:7]}, started by `push`" in comment["body"]


def test_an_open_pull_request_gets_it_and_the_commit_does_not(post, api):
    api.pulls = [
        {"number": 4, "state": "closed"}, {"number": 5, "state": "closed"},
        {"number": 6, "state": "open"},
    ]  # fmt: skip
    assert post().returncode == 0
    assert list(api.comments) == ["issues/6"]


@pytest.mark.parametrize("pulls", [[], [{"number": 6, "state": "open"}]])
def test_a_later_report_takes_the_place_of_an_earlier_one(post, api, pulls):
    api.pulls = pulls
    place = "issues/6" if pulls else f"commits/{SHA}"
    for body in ("looks good", "see the run", "I agree"):
        api.add(place, "anna", body)
    assert post("# First\n").returncode == 0
    assert post("# Second\n").returncode == 0
    reports = [each for each in api.comments[place] if each["user"]["login"] == BOT]
    [report] = reports
    assert "# Second" in report["body"]
    assert "# First" not in report["body"]


def test_nobody_elses_comment_is_ever_changed(post, api):
    assert post("# First\n").returncode == 0
    [ours] = api.comments[f"commits/{SHA}"]
    ours["user"]["login"] = "eve"
    quoted = api.add(f"commits/{SHA}", BOT, f"> {ours['body']}")
    before = [ours["body"], quoted["body"]]
    assert post("# Second\n").returncode == 0
    assert [each["body"] for each in api.comments[f"commits/{SHA}"]][:2] == before
    assert len(api.comments[f"commits/{SHA}"]) == 3


def test_a_report_too_long_for_a_comment_is_cut_between_two_sections(post, api):
    section = "\n### Section\n" + "```mermaid\n" + "x" * 9000 + "\n```\n"
    assert post("# Report\n" + section * 9).returncode == 0
    [comment] = api.comments[f"commits/{SHA}"]
    assert len(comment["body"]) < 65536
    assert comment["body"].count("```") == 2 * comment["body"].count("### Section")
    assert "too long for a comment" in comment["body"]


def test_drift_is_named_as_what_began_it(post, api):
    assert post(github=PUSH | {"event_name": "repository_dispatch"}).returncode == 0
    [comment] = api.comments[f"commits/{SHA}"]
    assert "started by `drift`" in comment["body"]


def test_github_away_is_a_failure_of_the_job(post, api):
    api.away = True
    done = post()
    assert done.returncode != 0
    assert "503" in done.stderr
