"""`skincli runner-setup`: what it prints, its exit codes; the installed one where that counts."""

import json
import os
import pty
import signal
import subprocess

import pytest
from command_line import Command
from commands import SKINCLI
from running import wait_for
from typer.testing import CliRunner

from skincli.cli.app import app
from skincli.runner.volume import host_name

NAME = "skincli-runner"
STOPPED = {"stopped": True, "unregistered": True, "left": "", "kept": True}


@pytest.fixture
def command(place, tmp_path):
    return Command(place, tmp_path / "work")


def test_a_start_tells_all_that_it_looked_at_and_the_runner(command):
    done = command.installed()
    (runner,) = command.place.runners
    assert done.out.splitlines()[-1] == (
        f"Started the runner {runner.name} (online), labels self-hosted, Linux, X64, cml-gpu"
    )
    assert "✓ NVIDIA container toolkit: a container sees 1 GPU" in done.out
    assert "! engine: cml: last released in 2024" in done.out
    assert "✓ visibility: anna/lesions is private" in done.out
    assert "→ skincli runner-setup --logs" in done.err
    command.assert_nothing_left()


def test_as_json_there_is_nothing_else(command):
    found = command("--json").data
    assert found["started"]
    assert found["runner"]["name"] == command.place.runners[0].name
    assert {"name", "level", "found", "mend"} == found["checks"][0].keys()
    assert command("--status", "--json").data["running"]
    assert command("--stop", "--json").data == STOPPED


def test_what_is_to_be_mended_is_marked_and_nothing_starts(command):
    command.place.docker.play(toolkit="missing")
    done = command(code=1)
    assert "✗ NVIDIA container toolkit: " in done.out
    assert "could not select device driver" in done.out
    assert "    install the NVIDIA Container Toolkit" in done.out
    assert "nothing was started: one thing is to be mended first" in done.err
    assert command.place.docker.containers == {}


def test_a_dry_run_prints_lines_that_work_in_a_shell(command):
    done = command("--dry-run")
    lines = done.out.splitlines()
    commands = lines[lines.index("The commands that start it:") + 1 :]
    assert command.place.runners == []
    environ = os.environ | command.environ
    environ["PATH"] = f"{command.place.docker.folder}:{os.environ['PATH']}"
    subprocess.run(["bash", "-ec", "\n".join(commands)], env=environ, check=True, text=True)
    assert [each.status for each in command.place.runners] == ["online"]
    command.assert_nothing_left()


def test_a_dry_run_of_what_would_not_start_tells_all_and_fails(command):
    command.place.docker.play(toolkit="missing")
    done = command("--dry-run", code=1)
    assert "✗ NVIDIA container toolkit: " in done.out
    assert "docker run -d" in done.out
    assert "nothing would start: one thing is to be mended first" in done.err
    command.place.docker.play(info={"Architecture": "riscv64"})
    done = command("--dry-run", "--engine", "actions", code=1)
    assert "✗ architecture: riscv64" in done.out
    assert "The commands" not in done.out


def test_a_whole_life(command):
    assert "There is no container" in command("--status", code=1).out
    command("--idle-timeout", "1h", "--labels", "cml-gpu,a100", "--shm-size", "2g")
    first = command("--status")
    assert "The container `skincli-runner` is running" in first.out
    assert "GitHub lists the runner 0a" in first.out
    assert "a100" in first.out
    assert "there is a container `skincli-runner` already (running)" in command(code=1).out
    command("--replace")
    assert len(command.place.runners) == 1
    assert command("--stop").out.splitlines() == [
        "Stopped `skincli-runner`",
        "GitHub lists its runner no more",
    ]
    stopped = command("--status", code=1)
    assert "has ended with exit code 0" in stopped.out
    assert "→ skincli runner-setup --start" in stopped.err
    assert "GitHub lists the runner 0a" in command("--start").out
    command.assert_nothing_left()


def test_options_are_settings_of_one_run(command):
    options = ["--cpu", "--name", "gpu.2", "--image", "a/b:c", "--single"]
    done = command(*options)
    (run,) = command.place.docker.calls("run")
    words = " ".join(run["argv"])
    assert f"--name gpu.2 --hostname {host_name('gpu.2')}" in words
    assert " a/b:c runner launch " in words
    assert "--single" in words
    assert "--gpus" not in words
    assert "runner.name=gpu.2" in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stop", "--start"], "`--stop` and `--start` exclude each other"),
        (["--dry-run", "--logs"], "`--dry-run` and `--logs` exclude each other"),
        (["--replace", "--dry-run", "--status"], "exclude each other"),
        (["--logs", "--json"], "no result that could be JSON"),
        (["--force"], "`--force` belongs to `--write-workflows`"),
        (["--foreground"], "engine actions"),
        (["--shell"], "needs a terminal"),
        (["--idle-timeout", "soon"], "runner.idle_timeout must be never, or a time"),
        (["--engine", "gitlab"], "runner.engine"),
        (["--stop"], "there is no container `skincli-runner`"),
        (["--start"], "there is no container `skincli-runner`"),
        (["--start", "--engine", "actions"], "has no stopped container"),
        (["--logs", "--engine", "actions"], "was started here"),
        (["runner.api=http://example.org"], "everybody on the way"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(command, words, told):
    done = CliRunner().invoke(app, ["runner-setup", *words], env=command.environ)
    assert done.exit_code == 2, done.stderr
    assert told in done.stderr
    assert done.stdout == ""
    assert command.place.docker.changes() == []


def test_a_container_that_ends_at_once_is_shown_with_its_last_words(command):
    command.place.docker.play(cml="ends", code=1, log=["one", "bad TOKEN"])
    done = command(code=1)
    assert "the runner ended with exit code 1 before GitHub listed it: bad ***" in done.err
    assert command.place.docker.containers == {}


def test_ctrl_c_while_waiting_takes_everything_back(command):
    place = command.place
    place.docker.play(looks=9999)
    process = command.spawn()
    wait_for(lambda: bool(place.docker.calls("cp")), "the wait for GitHub")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert (place.docker.containers, place.runners) == ({}, [])
    place.assert_token_stayed_secret(out, err)
    command.assert_nothing_left()


def test_a_lost_terminal_while_docker_starts_it_takes_everything_back_too(command):
    place = command.place
    place.docker.play(run_seconds=1.0)
    main, side = pty.openpty()
    program = [*command.program, "runner-setup"]
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup
    process = subprocess.Popen(
        program, env=os.environ | command.environ, stdin=side, stdout=side, stderr=side
    )
    signal.signal(signal.SIGHUP, before)
    os.close(side)
    wait_for(lambda: NAME in place.docker.containers, "docker's start")
    os.close(main)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=60) == 129
    assert (place.docker.containers, place.runners) == ({}, [])
    command.assert_nothing_left()


def test_a_log_is_followed_until_ctrl_c(command):
    command()
    process = command.spawn("--logs")
    assert "Launching github runner" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")


def test_a_shell_takes_the_place_of_the_command(command):
    command()
    main, side = pty.openpty()
    environ = os.environ | command.environ
    process = subprocess.Popen(
        [SKINCLI, "runner-setup", "--shell"], env=environ, stdin=side, stdout=side, stderr=side
    )
    assert process.wait(timeout=60) == 0
    os.close(side)
    assert os.read(main, 1000).startswith(f"root@{host_name(NAME)}:".encode())
    os.close(main)
    (call,) = command.place.docker.calls("exec")
    assert call["argv"] == ["exec", "-it", NAME, "bash"]
    command.place.assert_token_stayed_secret()


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def test_workflows_are_written_and_what_was_changed_is_kept(command):
    for words in ("init --initial-branch main", f"remote add origin {command.place.repository}"):
        git(command.folder, *words.split())
    git(command.folder, "commit", "--allow-empty", "--message", "one")
    train = command.folder / ".github" / "workflows" / "train.yml"
    done = command("--write-workflows", "--labels", "cml-gpu,a100")
    assert f"written: {train}" in done.out
    text = train.read_text()
    assert "runs-on: [self-hosted, cml-gpu, a100]" in text
    assert "github.repository == 'anna/lesions'" in text
    again = command("--write-workflows", "--labels", "cml-gpu,a100", "--json").data
    assert set(again["files"].values()) == {"unchanged"}
    train.write_text(text + "# mine")
    kept = command("--write-workflows")
    assert f"kept: {train}" in kept.out
    assert "`--force` writes over it" in kept.out
    command("--write-workflows", "--force")
    assert "# mine" not in train.read_text()
    assert command.place.docker.calls() == []


def test_the_token_of_another_name_is_not_used(command):
    done = command("--json", code=1, REPO_TOKEN="", GITHUB_TOKEN=command.place.token)
    failed = [check for check in json.loads(done.out)["checks"] if check["level"] == "failure"]
    assert [check["name"] for check in failed] == ["token"]
    assert json.loads(done.err.splitlines()[-1])["exit_code"] == 1
