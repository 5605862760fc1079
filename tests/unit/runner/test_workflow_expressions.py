"""The interpreter of steps that the tests of workflows stand on: it knows little, and says so."""

import pytest
from workflow_expressions import fill_in, holds
from workflow_steps import Job, Machine

CONTEXTS = {"github": {"ref": "refs/heads/main"}, "inputs": {"overrides": "a=1"}}


def test_expressions_are_filled_in():
    assert fill_in("x ${{ inputs.overrides }} y", CONTEXTS) == "x a=1 y"
    assert fill_in("${{ github.ref == 'refs/heads/main' }}", CONTEXTS) == "true"


@pytest.mark.parametrize(
    ("condition", "ok", "runs"),
    [
        (None, True, True),
        (None, False, False),
        ("github.ref == 'refs/heads/main'", True, True),
        ("github.ref == 'refs/heads/main'", False, False),
        ("github.ref != 'refs/heads/main' || inputs.overrides == 'a=1'", True, True),
        ("!(github.ref == 'refs/heads/main') && always()", True, False),
        ("${{ always() }}", False, True),
        ("failure()", True, False),
    ],
)
def test_conditions_hold_as_at_github(condition, ok, runs):
    assert holds(condition, CONTEXTS, ok) is runs


@pytest.mark.parametrize("text", ["github.actor", "contains(github.ref, 'x')", "1 + 1", "'a' 'b'"])
def test_what_it_does_not_know_is_refused(text):
    with pytest.raises((AssertionError, KeyError)):
        fill_in("${{ " + text + " }}", CONTEXTS)


@pytest.fixture
def run(tmp_path):
    def job(*steps, shell="bash"):
        workflow = {
            "defaults": {"run": {"shell": shell}},
            "jobs": {"one": {"steps": [{"name": str(n), **step} for n, step in enumerate(steps)]}},
        }
        machine = Machine(tmp_path, CONTEXTS, {"PATH": "/usr/bin:/bin"}, {})
        return Job(workflow, "one", machine).run()

    return job


def test_steps_hand_on_environment_path_outputs_and_summary(run):
    job = run(
        {"run": 'echo A=1 >> "$GITHUB_ENV"; echo /opt/x >> "$GITHUB_PATH"'},
        {
            "id": "b",
            "run": 'echo "at=$A ${PATH%%:*}" >> "$GITHUB_OUTPUT"; echo hm >> $GITHUB_STEP_SUMMARY',
        },
        {"env": {"AT": "${{ steps.b.outputs.at }}"}, "run": 'echo "got $AT"'},
    )
    assert job.output_of("2") == "got 1 /opt/x\n"
    assert job.summary == "hm\n"


def test_a_failing_pipe_ends_a_job_and_what_follows_is_left_out(run):
    job = run({"run": "false | true\necho on"}, {"run": "echo never"})
    assert [(step.name, step.output) for step in job.steps] == [("0", "")]
    assert not job.ok


def test_an_action_nobody_plays_and_a_key_nobody_knows_are_refused(run):
    with pytest.raises(KeyError, match="some/action"):
        run({"uses": "some/action@v1"})
    with pytest.raises(AssertionError, match="not understood"):
        run({"run": "true", "continue-on-error": True})
