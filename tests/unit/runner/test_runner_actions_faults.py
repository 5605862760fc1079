"""The supervisor of the engine `actions` in bad times: GitHub, docker and containers that fail."""

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY as URL
from conftest import TOKEN
from services import require
from standins.faults import PAGE, answers
from standins.github import Token
from standins.server import StandIn

from skincli.config.schema import Config
from skincli.errors import Interrupted, SkincliError, UsageError
from skincli.patience import Patience
from skincli.progress import Silent
from skincli.runner import actions
from skincli.runner.actions import supervisor, turn
from skincli.runner.actions.setting import SECRET_VARIABLE, create_command, setting_of
from skincli.runner.actions.state import Files, Noted
from skincli.runner.actions.supervisor import Supervisor
from skincli.runner.github import GitHub
from skincli.runner.labels import own_supervisor
from skincli.tracking.locking import exclusively
from skincli.tracking.processes import process_token

REPOSITORY = "anna/lesions"
NAME = "skincli-runner"
QUICK = Patience(first=0.01, longest=0.02, longest_asked=0.02)


class Notes(Silent):
    """What was told, and what is to happen when it is."""

    def __init__(self):
        self.lines = []
        self.then = lambda _: None

    def note(self, message):
        self.lines.append(message)
        self.then(message)

    def warn(self, message):
        self.note(message)


@pytest.fixture
def docker(actions_docker):
    return actions_docker


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(turn, "_BETWEEN_LOOKS", 0.01)
    for name in ("_GITHUB_PATIENCE", "_FAILURE_PATIENCE", "DOCKER_PATIENCE"):
        monkeypatch.setattr(supervisor, name, QUICK)
    return Files(NAME)


@pytest.fixture
def keep_going(files, docker, github):
    """Run the supervisor for one job, in this process. Returns what it told."""

    def run(notes=None):
        config = Config()
        config.runner.api, config.runner.single = github.url, True
        setting = setting_of(config, URL, docker.environ)
        at_github = GitHub(github.url, URL, TOKEN, QUICK)
        told = notes or Notes()
        Supervisor(setting, at_github, docker.environ, told).run()
        return told.lines

    return run


def runners(github):
    return github.repositories[REPOSITORY].runners


def pulls(docker):
    return len(docker.calls("pull"))


def test_github_away_for_a_while_is_waited_for(keep_going, docker, github):
    github.faults["jit"] = [answers(503), answers(429), answers(502, retry_after="1")]
    docker.queue("train", over=True)
    told = keep_going()
    assert docker.job("train") == "done"
    assert len([line for line in told if "asking again in" in line]) == 3
    assert len(docker.calls("create")) == 1
    assert runners(github) == {}


def test_a_configuration_that_was_lost_on_its_way_leaves_no_ghost(keep_going, docker, github):
    github.faults["jit after"] = [answers(502)]
    docker.queue("train", over=True)
    told = keep_going()
    assert any("removed skincli-runner-" in line for line in told)
    assert docker.job("train") == "done"
    assert runners(github) == {}


def test_containers_that_end_at_once_are_given_up(keep_going, docker, github, files):
    docker.play(actions="ends")
    with pytest.raises(SkincliError, match="5 containers in a row") as caught:
        keep_going()
    assert "An error occurred: Not configured" in caught.value.message
    assert "start it again" in caught.value.hint
    assert len(docker.calls("create")) == supervisor.MOST_FAILURES
    assert runners(github) == {}
    assert files.read().doing.startswith("gave up: 5 containers")


def test_a_failure_in_between_is_forgiven(keep_going, docker, github):
    docker.play(actions="ends")
    docker.queue("train", over=True)
    notes = Notes()
    notes.then = lambda line: docker.play(actions="works") if "again in" in line else None
    keep_going(notes)
    assert docker.job("train") == "done"
    assert len(docker.calls("create")) == 2
    assert runners(github) == {}


def test_a_runner_that_github_finds_too_old_is_fetched_anew(keep_going, docker):
    docker.play(actions="outdated")
    docker.queue("train", over=True)
    notes = Notes()
    notes.then = lambda line: docker.play(actions="works") if "again in" in line else None
    keep_going(notes)
    assert pulls(docker) == 1


def test_the_image_is_fetched_once_a_day(keep_going, docker, monkeypatch):
    docker.play(actions="ends")
    monkeypatch.setattr(supervisor, "REFRESH_SECONDS", -1.0)
    with pytest.raises(SkincliError):
        keep_going()
    assert pulls(docker) == supervisor.MOST_FAILURES


def test_a_registry_that_is_away_is_no_reason_to_stop(keep_going, docker, monkeypatch):
    monkeypatch.setattr(supervisor, "REFRESH_SECONDS", -1.0)
    docker.play(actions="ends", pull="Get https://ghcr.io/v2/: i/o timeout")
    docker.queue("train", over=True)
    notes = Notes()
    notes.then = lambda line: docker.play(actions="works") if "again in" in line else None
    told = keep_going(notes)
    assert any("cannot be refreshed" in line and "i/o timeout" in line for line in told)
    assert docker.job("train") == "done"


@pytest.mark.parametrize(("token", "said"), [(None, "Bad credentials"), (Token("read"), "403")])
def test_a_token_that_is_refused_ends_it_with_the_reason(keep_going, docker, github, token, said):
    github.tokens = {TOKEN: token} if token else {}
    with pytest.raises(SkincliError, match=said) as caught:
        keep_going()
    assert TOKEN not in caught.value.message + caught.value.hint
    assert docker.calls("create") == []


def test_a_proxy_that_answers_for_github_ends_it(keep_going, github):
    github.faults["jit"] = [PAGE] * 9
    with pytest.raises(SkincliError, match="not what the API promises"):
        keep_going()


def test_docker_away_is_waited_for_without_a_word_to_github(keep_going, docker, github):
    docker.play(engine="down")
    docker.queue("train", over=True)
    notes = Notes()
    asked = []

    def told(line):
        if "docker does not answer" in line and len(notes.lines) == 3:
            asked.append(len(github.asked))
            docker.play(engine="up")

    notes.then = told
    keep_going(notes)
    assert asked == [0]
    assert docker.job("train") == "done"


def test_a_container_that_docker_refuses_to_make_is_given_up(keep_going, docker, github):
    docker.play(run="full")
    with pytest.raises(SkincliError, match="no space left on device"):
        keep_going()
    assert runners(github) == {}


def test_a_container_that_docker_cannot_start_does_not_keep_the_name(keep_going, docker, github):
    docker.play(toolkit="missing")
    docker.queue("train", over=True)
    notes = Notes()
    notes.then = lambda line: docker.play(toolkit="ok") if "again in" in line else None
    told = keep_going(notes)
    assert any("could not select device driver" in line for line in told)
    assert len(docker.calls("create")) == 2
    assert docker.job("train") == "done"


def test_docker_restarted_under_a_job_does_not_end_its_turn(keep_going, docker, github):
    """With `live-restore` the container goes on, while docker's client ends."""
    docker.queue("train", over=True)
    docker.play(cut=True)
    told = keep_going()
    assert any("unexpected EOF" in line for line in told)
    assert len(docker.calls("attach")) == 1
    assert docker.job("train") == "done"


def test_an_interrupted_registration_leaves_no_ghost(keep_going, docker, github, files):
    notes = Notes()

    def told(line):
        if line.startswith("registered"):
            raise Interrupted(15)

    notes.then = told
    with pytest.raises(Interrupted):
        keep_going(notes)
    assert runners(github) == {}
    assert (files.read().doing, files.read().registered) == ("stopped", ())


def test_a_container_that_cannot_be_stopped_does_not_keep_the_supervisor(keep_going, docker):
    docker.play(stop="cannot stop container: permission denied")
    notes = Notes()

    def told(line):
        if "Listening for Jobs" in line:
            raise Interrupted(15)

    notes.then = told
    with pytest.raises(Interrupted):
        keep_going(notes)
    assert any("the next start clears this away" in line for line in notes.lines)


def test_what_could_not_be_cleared_away_is_cleared_by_the_next(keep_going, docker, github, files):
    docker.play(actions="ends")
    notes = Notes()

    def told(line):
        if "again in" in line:
            github.faults["runners"] = [answers(500)] * 4
            raise Interrupted(15)

    notes.then = told
    with pytest.raises(Interrupted):
        keep_going(notes)
    (ghost,) = runners(github).values()
    assert files.read().registered == (ghost.name,)
    docker.play(actions="works")
    docker.queue("train", over=True)
    keep_going()
    assert runners(github) == {}


def test_a_container_that_is_killed_under_its_job_leaves_its_runner_noted(
    keep_going, docker, github, files
):
    """GitHub lists it until it gives up the job, and the next start has to know."""
    docker.queue("train")
    notes = Notes()
    notes.then = lambda line: docker.run("kill", NAME) if "Running job" in line else None
    told = keep_going(notes)
    (ghost,) = runners(github).values()
    assert any(f"job of {ghost.name} was not seen (exit code 137)" in line for line in told)
    assert (files.read().jobs, files.read().registered) == (0, (ghost.name,))
    ghost.busy = False
    docker.queue("more", over=True)
    keep_going()
    assert (files.read().jobs, runners(github)) == (1, {})


def test_what_github_thinks_busy_stays_noted_while_others_come(keep_going, docker, github, files):
    ghost = github.register(REPOSITORY, "box-1", ["self-hosted"])
    ghost.busy = True
    files.make()
    files.write(Noted("1:1", URL, registered=("box-1",)))
    docker.queue("train", over=True)
    keep_going()
    assert files.read().registered == ("box-1",)


def test_a_container_of_another_living_supervisor_is_not_taken_over(keep_going, docker, github):
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        mark = f"{own_supervisor().partition(':')[0]}:{process_token(other.pid)}"
        docker.add(NAME, engine="actions", runner="box-1", supervisor=mark)
        with pytest.raises(UsageError, match="another supervisor keeps the container"):
            keep_going()
        other.kill()
    assert docker.containers[NAME]["status"] == "running"
    assert docker.calls("stop") + docker.calls("rm") + docker.calls("create") == []


def test_the_lock_keeps_a_second_supervisor_out(keep_going, docker, files):
    files.make()
    with exclusively(files.lock, "", ""), pytest.raises(UsageError, match="another supervisor"):
        keep_going()
    assert docker.calls("create") == []


def test_what_another_repository_was_left_with_is_not_looked_for(keep_going, docker, github, files):
    namesake = github.register(REPOSITORY, "box-1", ["self-hosted"])
    files.make()
    files.write(Noted("1:1", "https://github.com/lab/other", registered=("box-1",)))
    docker.queue("train", over=True)
    keep_going()
    assert list(runners(github)) == [namesake.id]


def test_a_runner_that_github_thinks_busy_is_no_hindrance(keep_going, docker, github, files):
    ghost = github.register(REPOSITORY, "box-1", ["self-hosted"])
    ghost.busy = True
    files.make()
    files.write(Noted("1:1", URL, registered=("box-1",)))
    docker.queue("train", over=True)
    told = keep_going()
    assert docker.job("train") == "done"
    assert any("box-1 goes once GitHub has cancelled its job" in line for line in told)


def test_a_full_disk_ends_neither_the_job_nor_the_supervisor(
    keep_going, docker, github, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Files, "write", full)
    docker.queue("train", over=True)
    told = keep_going()
    assert any("No space left on device" in line for line in told)
    assert docker.job("train") == "done"
    assert (docker.containers, runners(github)) == ({}, {})


def test_notes_that_are_damaged_are_as_good_as_none(keep_going, docker, files):
    files.make()
    (files.folder / f"{NAME}.json").write_text('{"process": "12')
    assert files.read() is None
    docker.queue("train", over=True)
    keep_going()
    assert files.read().jobs == 1


def test_a_log_that_grew_large_is_put_aside(tmp_path):
    script = (
        "import sys\n"
        "from skincli.runner.actions import detached\n"
        "from skincli.runner.actions.state import Files\n"
        "detached._LARGEST_LOG = 1000\n"
        "log = detached.Logged(Files('box'))\n"
        "for number in range(40):\n"
        "    log.note(f'line {number} ' + 'x' * 60 + chr(27))\n"
    )
    folder = tmp_path / "skincli" / "runners"
    folder.mkdir(parents=True)
    with (folder / "box.log").open("ab") as stream:
        command = [sys.executable, "-c", script]
        subprocess.run(command, env={"XDG_STATE_HOME": str(tmp_path)}, stdout=stream, check=True)
    assert (folder / "box.log.1").stat().st_size > 1000
    text = (folder / "box.log").read_text()
    assert "line 39" in text
    assert len(text) <= 1200
    assert "\x1b" not in text


def test_the_commands_shown_do_what_a_turn_does(docker, github, tmp_path):
    require(shutil.which("curl"), "curl")
    config = Config()
    config.runner.api = github.url
    lines = actions.commands(config, URL, docker.environ)
    assert TOKEN not in "".join(lines)
    docker.queue("train", over=True)
    environ = docker.environ | {"REPO_TOKEN": TOKEN}
    environ["PATH"] += ":/usr/bin:/bin"
    subprocess.run(["/bin/sh", "-ec", "\n".join(lines)], env=environ, check=True, cwd=tmp_path)
    assert docker.job("train") == "done"
    assert runners(github) == {}
    setting = setting_of(config, URL, docker.environ)
    (made,) = docker.calls("create")
    label = next(word for word in made["argv"] if word.startswith("skincli.runner="))
    assert ["docker", *made["argv"]] == create_command(setting, label.partition("=")[2])
    assert list(Path(tmp_path).glob("*.env")) == []


class _Engine(StandIn):
    """As much of docker's engine as `docker create` asks."""

    def __init__(self):
        super().__init__()
        self.bodies = []

    def answer(self, asked, handler):
        if asked.method == "POST":
            self.bodies.append(handler.body.decode())
            handler.reply(201, b'{"Id": "abc", "Warnings": []}', "application/json")
        else:
            handler.reply(200, b"OK", Api_Version="1.45")


def test_the_real_docker_client_takes_the_command_and_the_secret_from_its_environment(docker):
    client = shutil.which("docker")
    require(client, "the docker client")
    setting = setting_of(Config(), URL, docker.environ)
    with _Engine() as engine:
        environ = {"DOCKER_HOST": engine.url.replace("http", "tcp"), SECRET_VARIABLE: "SECRET"}
        command = [client, *create_command(setting, "box-1")[1:]]
        done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    assert done.stdout == "abc\n"
    (body,) = engine.bodies
    assert f'"{SECRET_VARIABLE}=SECRET"' in body
    assert '"AutoRemove":true' in body
    assert '"Binds":["skincli-runner:/skincli"]' in body
    assert '"ShmSize":8589934592' in body
    assert '"Cmd":["./run.sh"]' in body
