"""Servers under load: what is counted is what happened, whatever the speed of this machine."""

import json
import os
import py_compile
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from bundles import tiny_bundle
from commands import skincli
from packaging.requirements import Requirement

from skincli.bench.images import drawn_jpegs
from skincli.bench.serving.contenders import OURS, PEERS, Setting, peer_contender
from skincli.bench.serving.installing import PINS, interpreter
from skincli.bench.serving.judging import judge
from skincli.bench.serving.limit import Work, bare_pace
from skincli.bench.serving.line_up import line_up
from skincli.bench.serving.load import Plan, run_load
from skincli.bench.serving.records import Limit, Load, Visit
from skincli.bench.serving.starting import started
from skincli.bench.serving.visiting import visit
from skincli.bundle import Bundle
from skincli.errors import SkincliError
from skincli.imaging import Limits, read_input

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return tiny_bundle(tmp_path_factory.mktemp("served") / "bundle")


def test_the_bare_loop_runs_in_processes_that_work_side_by_side(bundle):
    pace = bare_pace(Work(bundle.model, 32, "center", drawn_jpegs(2)), 2, 0.5)
    assert pace.images_per_second > 2
    assert 0 < pace.cpu_seconds < 1
    assert sum(pace.latencies) > 0.5


def test_a_peer_answers_what_the_model_says(bundle, tmp_path):
    """The plain FastAPI application, for which the environment of the tests will do."""
    peer = next(peer for peer in PEERS if peer.name == "FastAPI")
    setting = Setting(bundle, 2, tmp_path)
    contender = peer_contender(peer, "onnx", Path(sys.executable), setting)
    assert contender.server.version == version("fastapi")
    (jpeg,) = drawn_jpegs(1)
    with started(contender, contender.request(jpeg)) as server:
        plan = Plan(server.port, [contender.request(jpeg)], 0.1, concurrency=1, keep_answers=True)
        answers = run_load(plan).answers
    pixels = read_input(jpeg, 32, "center", Limits(10_000_000, 10_000_000))
    session = ort.InferenceSession(bundle.model)
    (logits,) = session.run(["logits"], {"images": pixels[None]})
    assert np.allclose(json.loads(answers[0])["logits"], logits[0], atol=1e-5)


def test_a_visit_measures_every_load(bundle, tmp_path):
    peer = next(peer for peer in PEERS if peer.name == "FastAPI")
    contender = peer_contender(peer, "onnx", Path(sys.executable), Setting(bundle, 1, tmp_path))
    seen = visit(contender, 2, drawn_jpegs(1), 0.3, run_load)
    assert (seen.server, seen.round, seen.torch_loaded) == ("FastAPI, onnx", 2, False)
    kinds = [(load.arrivals, load.concurrency) for load in seen.loads]
    assert kinds[:3] == [("closed", 1), ("closed", 8), ("closed", 32)]
    assert kinds[3][0] == "open"
    assert seen.loads[3].offered_per_second == 0.7 * seen.loads[1].requests_per_second
    for load in seen.loads:
        assert load.errors == 0 < load.answered
        assert 0 < load.p50_ms <= load.p99_ms
        assert load.server_cpu_ms > 1
        assert load.client_cpu_ms > 0
    assert 0 < seen.ready_seconds < 90
    assert seen.process_megabytes[0] > 50


def load_of(clients: int, speed: float, **figures: float | int) -> Load:
    return Load(
        arrivals="closed",
        concurrency=clients,
        offered_per_second=None,
        answered=10,
        errors=int(figures.get("errors", 0)),
        requests_per_second=speed,
        p50_ms=figures.get("p50", 30.0),
        p99_ms=40.0,
        beyond_p50_ms=2.0,
        server_cpu_ms=figures.get("cpu", 33.0),
        client_cpu_ms=0.3,
    )


def visit_of(server: str, number: int, *loads: Load) -> Visit:
    return Visit(
        server=server,
        round=number,
        ready_seconds=2.0,
        loads=loads,
        resident_megabytes=200.0,
        process_megabytes=(360.0, 10.0),
        torch_loaded=False,
    )


def test_the_checks_compare_round_by_round_and_with_the_best_peer():
    ours = [
        visit_of(OURS, 1, load_of(1, 20, p50=31), load_of(8, 50, cpu=22)),
        visit_of(OURS, 2, load_of(1, 20, p50=52), load_of(8, 40, cpu=44, errors=1)),
    ]
    theirs = [
        visit_of(name, number, load_of(1, 10), load_of(8, speed))
        for number in (1, 2)
        for name, speed in (("FastAPI, onnx", 50), ("LitServe, onnx", 30), ("BentoML, onnx", 40))
    ]
    limits = [
        Limit(round=n, processes=p, images_per_second=60, cpu_ms=20 * n, p50_ms=10 + 20 * n)
        for n in (1, 2)
        for p in (1, 2)
    ]
    checks = {check.name: check for check in judge([*ours, *theirs], limits)}
    cpu = checks["CPU per request with 8 clients, over the limit's"]
    assert (cpu.value, cpu.met) == (pytest.approx(1.1), True)
    assert checks["p50 with 1 client beyond the limit's, ms"].value == pytest.approx(1.5)
    plain = checks["requests/s over those of FastAPI, onnx"]
    assert (plain.value, plain.target, plain.met) == (pytest.approx(0.9), 1.0, False)
    others = checks["requests/s over those of BentoML, onnx"]
    assert (others.value, others.met) == (pytest.approx(1.125), None)  # MLflow was left out
    [torch] = [check for name, check in checks.items() if "FastAPI, torch" in name]
    assert (torch.value, torch.met) == (None, None)
    assert not checks["memory of the largest process, MB"].met
    assert not checks["requests not answered"].met


def test_the_command_measures_itself_alone_and_says_who_is_missing(bundle, tmp_path):
    (tmp_path / "peers").mkdir()
    words = ("--rounds", "1", "--seconds", "0.3", "--most", "4", "--peers", "peers", "--json")
    done = skincli(tmp_path, "bench", "serve", *words, f"serve.model={bundle.folder}")
    assert done.data["digest"] == bundle.digest
    assert done.data["left_out"] == ["FastAPI", "LitServe", "BentoML", "MLflow"]
    assert (done.data["synthetic"], done.data["untrained"]) == (True, False)
    [seen] = done.data["visits"]
    assert [load["errors"] for load in seen["loads"]] == [0] * 4
    assert all(0 < load["beyond_p50_ms"] < load["p50_ms"] for load in seen["loads"][:3])
    assert not seen["torch_loaded"]
    assert {limit["processes"] for limit in done.data["limits"]} == {1, done.data["cores"]}


@pytest.mark.slow
def test_random_weights_drawn_images_a_table_and_a_chart(tmp_path):
    words = ("--rounds", "1", "--seconds", "0.2", "--most", "2", "--chart", "chart.png")
    settings = ("model.backbone=small_resnet", "model.width=4", "data.image_size=32")
    done = skincli(tmp_path, "bench", "serve", *words, *settings, "serve.journal.uri=none")
    assert "small_resnet at 32 px (random weights)" in done.out
    assert "2 drawn (synthetic) JPEGs" in done.out
    assert "open, " in done.out
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_torch_takes_no_part_in_what_torchvision_does_not_have(bundle, tmp_path):
    (tmp_path / "peers").mkdir()
    (tmp_path / "peers/fastapi").symlink_to(sys.prefix)
    contenders, left_out = line_up(Setting(bundle, 2, tmp_path), tmp_path / "peers")
    assert [contender.server.name for contender in contenders] == [OURS, "FastAPI, onnx"]
    assert left_out == ("FastAPI, torch", "LitServe", "BentoML", "MLflow")


def test_an_environment_without_its_peer_is_named(bundle, tmp_path):
    (tmp_path / "peers/litserve/bin").mkdir(parents=True)
    (tmp_path / "peers/litserve/bin/python").symlink_to(sys.executable)
    words = ("--model", str(bundle.folder), "--peers", "peers")
    done = skincli(tmp_path, "bench", "serve", *words, code=1)
    assert "knows no litserve" in done.err
    done = skincli(tmp_path, "bench", "serve", "--peers", "nowhere", code=2)
    assert "skincli bench serve --install-peers nowhere" in done.err


def test_a_server_that_does_not_start_is_shown_with_its_log(bundle, tmp_path):
    peer = next(peer for peer in PEERS if peer.name == "FastAPI")
    setting = Setting(bundle, 2, tmp_path)
    contender = peer_contender(peer, "onnx", Path(sys.executable), setting)
    contender.environment["BENCH_MODEL"] = "/nowhere.onnx"
    complaint = r"(?s)FastAPI, onnx did not start.*nowhere\.onnx"
    with pytest.raises(SkincliError, match=complaint), started(contender, contender.request(b"")):
        pass


def test_the_peers_are_of_the_versions_that_the_extra_admits():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = [Requirement(line) for line in project["optional-dependencies"]["bench"]]
    assert {requirement.name for requirement in extra} == set(PINS)
    assert all(requirement.specifier.contains(PINS[requirement.name]) for requirement in extra)


@pytest.mark.parametrize(
    "app", sorted((ROOT / "skincli/bench/serving/peers").glob("*.py")), ids=lambda path: path.stem
)
def test_what_other_interpreters_run_compiles(app, tmp_path):
    py_compile.compile(str(app), cfile=str(tmp_path / "compiled"), doraise=True)


def test_an_environment_that_cannot_be_filled_is_not_left_half_made(tmp_path):
    nobody = {"PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    words = ("bench", "serve", "--install-peers", "peers")
    done = skincli(tmp_path, *words, code=1, PIP_CONFIG_FILE=os.devnull, **nobody)
    assert f"fastapi=={version('fastapi')} could not be installed" in done.err
    assert interpreter(tmp_path / "peers", "fastapi") is None
