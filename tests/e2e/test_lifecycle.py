"""The whole life of a model through the installed command: real processes, HTTP and SQLite."""

import json
import signal
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager, suppress

import httpx
import pytest
from commands import skincli, spawn

SETTINGS = """
data: synthetic
model: small_resnet
"""
OFFLINE = ("data.download.dataverse=http://127.0.0.1:1", "data.download.attempts=1")
EXTRA = (
    "data.synthetic.lesions=150",
    "data.image_size=32",
    "model.width=8",
    "optimizer.lr=0.003",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=4",
)
# A net that learned for seconds meets no floor.
LENIENT = (
    "promotion.melanoma_sensitivity=0",
    "promotion.max_ece=1",
    "promotion.subgroup_sensitivity=0",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(folder, *words):
    """The real server in a process of its own, ready; it must drain and end with 0."""
    port = free_port()
    process = spawn(folder, "serve", f"serve.port={port}", *words)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for _ in range(300):
                assert process.poll() is None, process.stderr.read()
                with suppress(httpx.TransportError):
                    if client.get("/readyz").is_success:
                        break
                time.sleep(0.2)
            assert client.get("/readyz").is_success
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "skincli.yaml").write_text(SETTINGS)
    return folder


@pytest.fixture(scope="module")
def trained(project):
    """Fetched, prepared, trained, evaluated and promoted; returns the run's id."""
    fetched = skincli(project, "data", "fetch", *EXTRA)
    assert "synthetic" in fetched.out
    assert "data prepare" in fetched.err
    first = skincli(project, "data", "prepare", *EXTRA, "--json").data
    second = skincli(project, "data", "prepare", *EXTRA, "--json").data
    assert (first["created"], second["created"]) == (True, False)
    assert first["manifest"] == second["manifest"]
    run = skincli(project, "train", *EXTRA, "--json").data
    too_early = skincli(project, "promote", run["run_id"], *EXTRA, code=3)
    assert "not measured on the current test split" in too_early.err
    evaluated = skincli(project, "evaluate", run["run_id"], *EXTRA)
    assert "balanced accuracy" in evaluated.out
    assert "not a medical result" in evaluated.out
    refused = skincli(project, "promote", run["run_id"], *EXTRA, "promotion.max_ece=0", code=3)
    assert "✗ calibration error" in refused.out
    assert "version 1 is now challenger" in refused.out
    words = ("promote", run["run_id"], *EXTRA, *LENIENT)
    assert skincli(project, *words, "--dry-run", "--json").data["promoted"] is True
    promoted = skincli(project, *words)
    assert "version 1 is now champion" in promoted.out
    return run["run_id"]


@pytest.fixture(scope="module")
def images(project, trained):
    with zipfile.ZipFile(project / "data/synthetic/raw/HAM10000_images_part_1.zip") as archive:
        for name in archive.namelist()[:5]:
            archive.extract(name, project / "images")
    return sorted((project / "images").iterdir())


def test_the_registry_shows_what_was_promoted(project, trained):
    listed = skincli(project, "models", "list")
    assert "champion" in listed.out
    assert trained[:8] in listed.out
    [version] = skincli(project, "models", "list", "--json").data
    assert version["aliases"] == ["champion"]
    assert 0 <= version["metrics"]["balanced_accuracy"] <= 1
    shown = skincli(project, "models", "show", "1").out
    assert trained in shown
    assert "synthetic" in shown
    refused = skincli(project, "rollback", code=2)
    assert "no earlier champion" in refused.err
    actions = [e["change"]["action"] for e in skincli(project, "models", "history", "--json").data]
    assert actions == ["refuse", "promote"]


def test_a_version_goes_to_another_registry_and_a_tampered_one_is_refused(project, tmp_path):
    skincli(project, "models", "export", "1", str(tmp_path / "model.zip"))
    uri = f"tracking.uri=sqlite:///{tmp_path}/mlflow.db"
    imported = skincli(project, "models", "import", str(tmp_path / "model.zip"), uri)
    assert "not who made it" in imported.out
    assert "as registered" in skincli(project, "models", "verify", uri).out
    for network in (tmp_path / "mlartifacts").rglob("model.onnx"):
        network.write_bytes(network.read_bytes() + b" ")
    tampered = skincli(project, "models", "verify", uri, code=2)
    assert "SHA-256 differs" in tampered.out
    assert "not what was registered: version 1" in tampered.err


def test_images_are_predicted_and_a_bad_one_does_not_stop_the_rest(project, images):
    bad = project / "notes.jpg"
    bad.write_text("I am no image")
    words = [str(p) for p in images]
    done = skincli(project, "predict", *words, str(bad), "--csv", "out.csv", "--heatmaps", "heat")
    assert "error: this is not an image" in done.out
    assert "synthetic" in done.out
    rows = (project / "out.csv").read_text().splitlines()
    assert len(rows) == 1 + len(images) + 1
    assert len(list((project / "heat").glob("*.png"))) == len(images)
    data = skincli(project, "predict", *words, "--json").data
    for row in data["rows"]:
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert "no image could be read" in skincli(project, "predict", str(bad), code=1).err
    assert "nowhere.jpg" in skincli(project, "predict", "nowhere.jpg", code=2).err


def test_the_server_answers_as_the_command_does(project, images):
    expected = skincli(project, "predict", str(images[0]), "--json").data["rows"][0]
    with served(project) as client:
        with images[0].open("rb") as stream:
            answer = client.post("/v1/predict", files={"images": stream}).json()
        [prediction] = answer["predictions"]
        assert prediction["diagnosis"]["code"] == expected["code"]
        assert prediction["malignant_probability"] == pytest.approx(
            expected["malignant_probability"], abs=1e-5
        )
        bad = client.post("/v1/predict", files={"images": b"rubbish"})
        assert bad.status_code == 415
        with images[0].open("rb") as stream:
            earlier = client.post("/model_inference", files={"file": stream}).json()
        assert set(earlier) == {"result", "certainty"}
        assert isinstance(earlier["result"], str)
        assert set(client.get("/model_info").json()) == {"model_info"}
        assert client.get("/v1/model").json()["synthetic"] is True
        assert client.get("/docs").is_success


def test_a_new_terminal_finds_everything_and_another_data_set_is_not_mistaken(project, trained):
    again = skincli(project, "evaluate", "models:/skin-lesion@champion", *EXTRA, "--json").data
    assert again["run_id"] == trained
    wrong = skincli(project, "evaluate", trained, "data=ham10000", code=2)
    assert "add `data=synthetic`" in wrong.err


def test_the_tracking_server_starts_once_shows_the_run_and_stops(project, trained):
    port = free_port()
    setting = f"tracking.port={port}"
    assert "Not running" in skincli(project, "track", "status", setting).out
    started = skincli(project, "track", "start", "--background", setting, "--json").data
    try:
        assert started["address"] == f"http://127.0.0.1:{port}"
        assert skincli(project, "track", "status", "--json").data["answers"] is True
        assert "runs already" in skincli(project, "track", "start", setting, code=2).err
        uri = f"tracking.uri={started['address']}"
        over_http = skincli(project, "models", "list", uri, "--json").data
        assert over_http[0]["run_id"] == trained
        found = httpx.get(
            f"{started['address']}/api/2.0/mlflow/runs/get",
            params={"run_id": trained},
            trust_env=False,
        ).json()
        assert found["run"]["info"]["status"] == "FINISHED"
    finally:
        assert "Stopped" in skincli(project, "track", "stop").out
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{started['address']}/health", trust_env=False)
    assert "Not running" in skincli(project, "track", "stop").out


def test_ctrl_c_stops_a_tracking_server_in_the_foreground(project, trained):
    port = free_port()
    process = spawn(project, "track", "start", f"tracking.port={port}")
    assert "Tracking server at" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)


def test_config_doctor_and_the_runners_dry_run(project):
    shown = skincli(project, "config", "show", "seed=4").out
    [line] = [line for line in shown.splitlines() if line.startswith("data.source")]
    assert "data=synthetic" in line
    data = skincli(project, "config", "show", "seed=4", "--json").data
    assert data["config"]["seed"] == 4
    assert data["origins"]["seed"] == "command line"
    diagnosis = skincli(project, "doctor", "--json").data
    assert diagnosis["healthy"] is True
    token = "ghp_never_to_be_seen"
    dry = skincli(
        project, "runner-setup", "--dry-run", "runner.repo=https://github.com/me/mine",
        code=1, REPO_TOKEN=token,
    )  # fmt: skip
    assert "✗ token's rights" in dry.out
    assert "docker run -d" in dry.out
    assert "--repo https://github.com/me/mine" in dry.out
    assert token not in dry.out + dry.err


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("train", "trainer.max_epoch=3"), 2, "did you mean `trainer.max_epochs`"),
        (("train", "data=nothing"), 2, "options of `data`"),
        (("evaluate",), 2, "exactly one MODEL"),
        (("evaluate", "a", "b"), 2, "exactly one MODEL"),
        (("promote", "no-such-folder"), 2, "there is no model"),
        (("promote", "x", "--force"), 2, "needs a reason"),
        (("predict",), 2, "no image was named"),
        (("serve", "--model", "nothing", "serve.port=18471"), 2, "there is no model"),
        (("serve", "registry.name=other", "serve.port=18472"), 2, "models:/other@champion"),
        (("data", "fetch", "data=ham10000", *OFFLINE), 1, "data.mirror"),
        (("nonsense",), 2, "No such command"),
    ],
)
def test_mistakes_end_with_a_message_a_hint_and_their_exit_code(project, words, code, expected):
    done = skincli(project, *words, code=code)
    assert expected in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_errors_are_json_too_when_asked(project):
    done = skincli(project, "train", "seed=x", "--json", code=2)
    error = json.loads(done.err)
    assert error["exit_code"] == 2
    assert "seed" in error["error"]
    assert "Traceback" in skincli(project, "train", "seed=x", "--debug", code=2).err


def test_a_word_after_dashes_is_a_path(project, images):
    odd = project / "a=b.jpg"
    odd.write_bytes(images[0].read_bytes())
    data = skincli(project, "predict", "--json", "--", "a=b.jpg").data
    assert data["rows"][0]["error"] is None


def test_the_module_runs_too(project):
    command = [sys.executable, "-m", "skincli", "--version"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout == skincli(project, "--version").out
    assert done.stdout.startswith("skincli 0.")


def test_the_life_of_a_model_on_real_images(tmp_path, real_data):
    settings = (
        "experiment=cpu",
        f"data.mirror={real_data / 'ham10000-200x150'}",
        "data.image_size=32",
        "model.width=8",
        "trainer.max_epochs=1",
    )
    skincli(tmp_path, "data", "fetch", *settings)
    run = skincli(tmp_path, "train", *settings, "--json").data
    assert run["synthetic"] is False
    result = skincli(tmp_path, "evaluate", run["run_id"], *settings, "--json").data
    assert result["n_images"] > 1000
    assert result["metrics"]["macro_auroc"] > 0.6
    shown = skincli(tmp_path, "models", "show", run["run_id"], *settings).out
    assert "ham10000 (unverified, licence CC BY-NC 4.0)" in shown
    skincli(tmp_path, "promote", run["run_id"], *settings, *LENIENT)
    photos = skincli(tmp_path, "predict", str(real_data / "ham10000-600x450"), "--json").data
    assert len(photos["rows"]) == 150
    assert all(row["error"] is None for row in photos["rows"])
