"""The processes of a service: who dies is replaced, nobody outlives the parent, counters add up."""

import io
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from bundles import tiny_bundle
from PIL import Image
from running import Load, Service, service, wait_for

from skincli.serving.scratch import scratch_folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_bundle(tmp_path_factory.mktemp("bundle") / "b").folder)


@pytest.fixture(scope="module")
def image() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((45, 60, 3), dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def kill(served: Service, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pid not in served.children(), f"{pid} buried")


def test_a_worker_that_dies_is_replaced_and_the_others_answer_meanwhile(model, image, tmp_path):
    with service(tmp_path, f"serve.model={model}", "serve.workers=2") as served:
        wait_for(lambda: served.log.count("Serving tiny") == 2, "two workers")
        for pid in served.workers():
            kill(served, pid)
            wait_for(lambda: len(served.workers()) == 2, "a new worker")
            assert f"the worker ({pid}) ended: killed by signal 9" in served.log
        wait_for(lambda: served.log.count("Serving tiny") == 4, "all of them serve")
        with Load(served.url, image).running(clients=2) as load:
            wait_for(lambda: len(load.answers) > 20, "answers")
        assert load.failures == []
        assert served.stop() == 0
        assert served.log.count("Finished server process") == 2


def test_a_worker_that_is_told_to_stop_alone_is_replaced(model, tmp_path):
    with service(tmp_path, f"serve.model={model}") as served:
        wait_for(served.is_ready, "ready")
        [worker] = served.workers()
        os.kill(worker, signal.SIGTERM)
        wait_for(lambda: served.log.count("Serving tiny") == 2, "another worker")
        wait_for(served.is_ready, "ready again")
        assert f"the worker ({worker}) ended: exit code 0" in served.log


def test_counters_are_those_of_all_workers(model, image, tmp_path):
    with service(tmp_path, f"serve.model={model}", "serve.workers=2") as served:
        wait_for(lambda: len(served.workers()) == 2 and served.is_ready(), "two workers")
        wait_for(lambda: served.metric("skincli_models_taken_total") == 2, "both serve")
        with Load(served.url, image).running(clients=6) as load:
            wait_for(lambda: len(load.answers) > 60, "answers")
        for _ in range(5):
            assert served.metric("skincli_predictions_total") == len(load.answers)
            assert served.metric("skincli_model") == 1
            assert served.metric("skincli_images_waiting") == 0


def test_nobody_outlives_the_supervisor(model, tmp_path):
    with service(tmp_path, f"serve.model={model}") as served:
        wait_for(served.is_ready, "ready")
        children = served.children()
        served.process.kill()
        for pid in children:
            wait_for(lambda pid=pid: not Path(f"/proc/{pid}/exe").exists(), f"{pid} gone")


def test_what_a_killed_server_left_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with scratch_folder() as held:
        left = held.with_name("left")
        left.mkdir()
        (left / "lock").touch()
        with scratch_folder() as folder:
            assert held.is_dir()
            assert not left.exists()
        assert not folder.exists()
    assert not held.exists()


def test_a_journal_that_cannot_be_opened_ends_the_command(model, tmp_path):
    with service(tmp_path, f"serve.model={model}", "serve.journal.uri=nonsense://x") as served:
        assert served.process.wait(60) == 1
        assert "journal cannot be opened" in served.log
        assert "Traceback" not in served.log
