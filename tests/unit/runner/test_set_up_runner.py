"""A CML runner from its checks to its place on GitHub's list."""

import shlex

import pytest
from setting_up import NAME, failures, set_up, started
from standins.faults import answers

from skincli.errors import UsageError
from skincli.runner.github_api import TRIES
from skincli.runner.volume import host_name

VARIABLES = {
    "_CML_RUNNER_SENSITIVE_ENV": "REPO_TOKEN",
    "SKINCLI_VOLUME": "/skincli",
    "SKINCLI__TRACKING__URI": "sqlite:////skincli/mlflow.db",
    "SKINCLI__RUN__ROOT": "/skincli/runs",
    "SKINCLI__EVALUATE__ROOT": "/skincli/evaluations",
    "UV_CACHE_DIR": "/skincli/uv",
    "UV_PYTHON_INSTALL_DIR": "/skincli/python",
    "XDG_CACHE_HOME": "/skincli/cache",
}


def test_a_runner_is_started_as_documented(place):
    result = set_up(place)
    assert result.started
    assert failures(result) == {}
    (runner,) = place.runners
    assert (result.runner.id, result.runner.name) == (runner.id, runner.name)
    assert result.runner.labels == ("self-hosted", "Linux", "X64", "cml-gpu")
    (run,) = started(place.docker)
    assert run["argv"] == shlex.split(
        f"run -d --init --name skincli-runner --hostname {host_name('skincli-runner')} "
        "--label skincli=runner --label skincli.engine=cml "
        f"--label skincli.repository={place.repository} "
        "--restart unless-stopped --gpus all --log-driver local --shm-size 8g --stop-timeout 60 "
        "-v skincli-runner:/skincli -e REPO_TOKEN "
        f"{' '.join(f'-e {name}={value}' for name, value in VARIABLES.items())} "
        "iterativeai/cml:0-dvc2-base1-gpu runner launch --driver github "
        "--repo https://github.com/anna/lesions --labels cml-gpu --idle-timeout 0"
    )
    assert place.docker.state()["volumes"] == ["skincli-runner"]
    place.assert_token_stayed_secret(repr(result))


def test_dockers_client_alone_is_told_the_token_and_no_file_holds_it(place, tmp_path):
    set_up(place, environ=place.environ | {"GH_TOKEN": place.token})
    (run,) = started(place.docker)
    assert run["env"]["REPO_TOKEN"] == place.token
    assert place.docker.containers[NAME]["env"] == {"REPO_TOKEN": place.token} | VARIABLES
    place.assert_token_stayed_secret()
    kept = {place.docker.folder / name for name in ("state.json", "calls.jsonl")}
    for path in set(tmp_path.rglob("*")) - kept:
        assert not path.is_file() or place.token.encode() not in path.read_bytes(), path


def test_without_a_gpu_neither_is_asked_for_nor_given(place):
    place.docker.remove("nvidia-smi")
    place.docker.play(toolkit="missing")
    result = set_up(place, settings={"gpu": False}.items())
    assert result.started
    assert "--gpus" not in started(place.docker)[0]["argv"]
    assert {"NVIDIA driver", "NVIDIA container toolkit"}.isdisjoint(c.name for c in result.checks)


@pytest.mark.parametrize(
    ("settings", "ending"),
    [
        ({"idle_timeout": "3min"}, ["--idle-timeout", "3min"]),
        ({"single": True}, ["--idle-timeout", "0", "--single"]),
    ],
)
def test_a_runner_that_ends_on_purpose_is_not_restarted(place, settings, ending):
    set_up(place, settings=settings.items())
    (run,) = started(place.docker)
    assert "--restart" not in run["argv"]
    assert run["argv"][-len(ending) :] == ending


def test_a_runner_that_registers_late_is_waited_for(place):
    place.docker.play(looks=5)
    assert set_up(place).runner.name == place.runners[0].name


def test_a_runner_whose_number_cannot_be_read_is_told_by_what_is_new(place, monkeypatch):
    place.ghost("0a00000000", status="online")
    monkeypatch.setattr("skincli.runner.container._REGISTRATION", "/nowhere")
    found = set_up(place).runner
    assert found.name != "0a00000000"
    assert found.name in {each.name for each in place.runners}


def test_github_may_fail_while_it_is_waited_for(place):
    place.docker.play(looks=3)
    place.github.faults["runners"] = [None, *[answers(502)] * TRIES]
    assert set_up(place).started


def test_a_folder_of_this_machine_can_be_read_by_the_jobs_where_it_is(place, tmp_path):
    (tmp_path / "remote").mkdir()
    set_up(place, settings={"mounts": [str(tmp_path / "remote")]})
    (run,) = started(place.docker)
    assert (
        f"-v skincli-runner:/skincli -v {tmp_path}/remote:{tmp_path}/remote:ro -e REPO_TOKEN"
        in (" ".join(run["argv"]))
    )


def test_a_server_is_what_the_jobs_are_told_of(place):
    set_up(place, uri="http://mlflow.lan:5000")
    told = place.docker.containers[NAME]["env"]
    assert told["SKINCLI__TRACKING__URI"] == "http://mlflow.lan:5000"


def test_long_names_keep_two_machines_and_two_containers_apart(monkeypatch):
    hosts = (
        "gpu-machine-of-the-clinic-in-the-cellar-1",
        "gpu-machine-of-the-clinic-in-the-cellar-2",
    )
    made = set()
    for host in hosts:
        monkeypatch.setattr("socket.gethostname", lambda host=host: host)
        made |= {
            host_name("skincli-runner-of-the-group-a"),
            host_name("skincli-runner-of-the-group-b"),
        }
    assert len(made) == 4
    assert all(len(name) == 63 and name.startswith("skincli-runner-of-") for name in made)
    assert host_name("box") == f"box-{hosts[1]}"


def test_the_foreground_is_for_the_other_engine(place):
    with pytest.raises(UsageError, match="engine actions"):
        set_up(place, foreground=True)
    assert place.docker.calls() == []
