"""A real network in int8: as good as it says, fitted anew, and refused where it is not."""

import copy
import dataclasses
import json
import shutil
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
import torch
from commands import skincli, spawn
from services import free_port

from skincli.bundle import MODEL_FILE, TRAINED_ON_FILE, open_bundle, seal
from skincli.config.load import to_yaml
from skincli.config.operating import Int8Config
from skincli.config.schema import Config
from skincli.data import prepare
from skincli.errors import Interrupted, ModelError, UsageError
from skincli.evaluation.evaluate import evaluate
from skincli.inference.engine import Classifier, Network
from skincli.progress import Silent
from skincli.quantising.comparing import Comparison, Engine, losses
from skincli.quantising.quantise import quantise
from skincli.tracking.resolve import resolve
from skincli.tracking.runs import recorded_run
from skincli.tracking.store import connect
from skincli.tracking.stored_runs import find_run
from skincli.tracking.transfer import import_model
from skincli.training.fit import build_network
from skincli.training.probe import probe
from skincli.training.sealing import seal_bundle

MALIGNANT = ("akiec", "bcc", "mel")


@pytest.fixture(scope="module")
def store(synthetic_config, empty_database, tmp_path_factory) -> Config:
    """A store, a third of whose images calibrate. 24 px of small_resnet are quickly looked at."""
    config = copy.deepcopy(synthetic_config)
    folder = tmp_path_factory.mktemp("store")
    shutil.copyfile(empty_database, folder / "mlflow.db")
    config.tracking.uri = f"sqlite:///{folder}/mlflow.db"
    config.run.root = str(folder / "runs")
    config.evaluate.root, config.evaluate.resamples = str(folder / "evaluations"), 100
    parts = config.data.parts
    parts.train, parts.validation, parts.calibration, parts.test = 0.4, 0.1, 0.3, 0.2
    config.model.backbone, config.model.pretrained, config.model.width = "small_resnet", False, 16
    # Of so few images and so poor a network, one more or less right is much.
    config.int8 = Int8Config(max_accuracy_loss=1, max_specificity_loss=1, max_log_loss=0.1)
    (folder / "skincli.yaml").write_text(to_yaml(config))
    return config


@pytest.fixture(scope="module")
def prepared(store):
    return prepare(store, Silent()).prepared


@pytest.fixture(scope="module")
def trained(store, prepared):
    """The logged bundle of a network whose head alone was fitted, which takes no epochs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network = build_network(store).train()
    images = torch.from_numpy(prepared.images[prepared.rows("train")])
    with torch.no_grad():
        for _ in range(20):  # norms that fit the images
            network(images.permute(0, 3, 1, 2) / 255)
    split = prepared.manifest.split_fingerprint
    with recorded_run(store, "float", split, None, Silent()) as recorder:
        fitted = probe(store, prepared, network, torch.device("cpu"), Silent()).network
        bundle = seal_bundle(store, prepared, fitted, recorder.folder)
        recorder.bundle(bundle)
    torch.set_num_threads(threads)
    return bundle


@pytest.fixture(scope="module")
def made(store, trained, tmp_path_factory):
    """What the verb says, and the int8 bundle that it wrote."""
    result = quantise(store, str(trained.folder), tmp_path_factory.mktemp("int8") / "b", Silent())
    assert result.path is not None
    return result, open_bundle(result.path)


def test_int8_says_nearly_the_same_in_a_third_of_the_bytes(made, trained, prepared):
    result, bundle = made
    found = result.comparison
    assert bundle.digest == result.digest
    assert found.n_images == len(prepared.rows("calibration"))
    assert found.same_diagnosis > 0.9
    assert 0 < found.mean_difference < 0.01
    assert found.int8.megabytes < 0.4 * found.float32.megabytes
    assert found.int8.milliseconds > 0
    # The figures are those of both bundles, each with what is sealed in it.
    rows = prepared.rows("calibration")
    images, truth = prepared.images[rows], prepared.labels("multiclass")[rows]
    for engine, sealed in ((found.float32, trained), (found.int8, bundle)):
        scores = Classifier(sealed).score(images)
        likelihood = scores.probabilities[np.arange(len(rows)), truth]
        assert engine.log_loss == pytest.approx(-np.log(likelihood).mean(), rel=1e-4)
        assert engine.precision == sealed.spec.precision
    assert found.float32.temperature != found.int8.temperature


def test_weights_are_bytes_of_seven_bits_and_the_outputs_float(made, prepared):
    _, bundle = made
    graph = onnx.load(bundle.model).graph
    kinds = {tensor.data_type for tensor in graph.initializer if len(tensor.dims) == 4}
    assert kinds == {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT}
    weights = [onnx.numpy_helper.to_array(t) for t in graph.initializer if len(t.dims) == 4]
    assert all(abs(w).max() <= 64 for w in weights if w.dtype == np.int8)
    for output in graph.output:
        assert output.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    # The mean of a map plus the head's bias is still the logit.
    outputs = Network(bundle.model)(prepared.images[np.arange(8)])
    bias = outputs.logits - outputs.cam.mean(axis=(2, 3))
    np.testing.assert_allclose(bias, np.broadcast_to(bias[:1], bias.shape), atol=1e-4)


def test_what_hangs_on_the_network_is_fitted_to_it(made, trained, prepared):
    _, bundle = made
    rows = prepared.rows("calibration")
    scores = Classifier(bundle).score(prepared.images[rows])
    truth = np.array([prepared.samples[row].dx in MALIGNANT for row in rows])
    flagged = scores.malignant >= bundle.spec.operating_point
    assert flagged[truth].mean() >= bundle.spec.target_sensitivity
    # The threshold is one of its own scores, and its own images are as seldom novel as promised.
    assert bundle.spec.operating_point in scores.malignant[truth]
    assert (scores.novelty > 1).mean() <= bundle.spec.out_of_distribution.false_alarm_rate
    assert bundle.reference.read_bytes() != trained.reference.read_bytes()
    known = (trained.folder / TRAINED_ON_FILE).read_bytes()
    assert (bundle.folder / TRAINED_ON_FILE).read_bytes() == known


def test_it_is_registered_and_measured_beside_its_original(made, store, trained):
    _, bundle = made
    lineage = bundle.spec.lineage
    assert (bundle.spec.precision, bundle.spec.quantised_from) == ("int8", trained.digest)
    assert lineage.parent_run_id == trained.spec.lineage.run_id != lineage.run_id
    assert evaluate(store, trained.spec.lineage.run_id, Silent()).published
    registered = import_model(store, bundle.folder)
    model = f"models:/{registered.name}/{registered.version}"
    assert evaluate(store, model, Silent()).published
    # One is shown below the other, and the evidence of neither is taken for that of the other.
    client = connect(store.tracking)
    run = find_run(client, lineage.run_id)
    assert run.data.tags["mlflow.parentRunId"] == trained.spec.lineage.run_id
    for each, digest in ((run, bundle.digest), (find_run(client, lineage.parent_run_id), trained)):
        evaluated = {v for k, v in each.data.tags.items() if k.startswith("skincli.evaluated.")}
        assert evaluated == {getattr(digest, "digest", digest)}
    assert resolve(store, model).bundle.spec == bundle.spec


def test_the_command_makes_the_same_file_again_and_the_server_serves_it(made, store, trained):
    result, _ = made
    project = Path(store.run.root).parent
    words = ("export", str(trained.folder), "out/int8", "--int8", "--json")
    told = skincli(project, *words, "inference.threads=1", PYTHONHASHSEED="7").data
    assert told["digest"] == result.digest
    port = free_port()
    words = (f"serve.port={port}", "serve.model=out/int8", "serve.journal.uri=sqlite:///j.db")
    process = spawn(project, "serve", *words)
    try:
        answer = wait_for(f"http://127.0.0.1:{port}/v1/model", process)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert result.digest in json.dumps(answer)
    assert process.returncode == 0, err


def wait_for(address, process):
    for _ in range(300):
        assert process.poll() is None, process.communicate()
        try:
            answer = httpx.get(address, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
            continue
        if answer.is_success:
            return answer.json()
        time.sleep(0.2)
    raise AssertionError("the server did not become ready")


def with_an_outlier(bundle, folder):
    """The same network in float, one of whose channels is so strong that int8 hears no other."""
    shutil.copytree(bundle.folder, folder)
    model = onnx.load(bundle.model)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    first, second = inner_convolutions(model.graph)
    for name, where, factor in (
        (first.input[1], np.s_[0], 1e4),
        (first.input[2], np.s_[0], 1e4),
        (second.input[1], np.s_[:, 0], 1e-4),
    ):
        values = onnx.numpy_helper.to_array(tensors[name]).copy()
        values[where] *= factor
        tensors[name].CopyFrom(onnx.numpy_helper.from_array(values, name))
    onnx.save(model, folder / MODEL_FILE)
    return seal(folder, bundle.spec, json.loads((folder / TRAINED_ON_FILE).read_text()))


def inner_convolutions(graph):
    """Two convolutions with nothing but a ReLU between them."""
    users = {
        name: [n for n in graph.node if name in n.input] for n in graph.node for name in n.output
    }
    for node in graph.node:
        after = users[node.output[0]]
        if node.op_type == "Conv" and [n.op_type for n in after] == ["Relu"]:
            [*last] = users[after[0].output[0]]
            if [n.op_type for n in last] == ["Conv"]:
                return node, last[0]
    raise AssertionError("there are none")


def test_int8_that_loses_too_much_is_shown_and_not_written(store, trained, prepared):
    project = Path(store.run.root).parent
    spoilt = with_an_outlier(trained, project / "outlier")
    images = prepared.images[np.arange(8)]
    same = Network(spoilt.model)(images).logits
    np.testing.assert_allclose(same, Network(trained.model)(images).logits, atol=1e-3)
    done = skincli(project, "export", "outlier", "bad", "--int8", code=3)
    assert "int8 is not offered" in done.err
    assert "✗ log loss" in done.out
    assert "ms per image" in done.out
    assert not list(project.glob("bad*"))


def refuse(config, model, target, reason, error=ModelError):
    with pytest.raises(error, match=reason):
        quantise(config, str(model), target, Silent())


def test_other_data_and_other_precisions_are_refused(made, store, trained, tmp_path):
    other = copy.deepcopy(store)
    other.data.parts.seed += 1
    refuse(other, trained.folder, tmp_path / "x", "was trained on split")
    other.data.name = "another"
    refuse(other, trained.folder, tmp_path / "x", "the config names `another`")
    refuse(store, made[1].folder, tmp_path / "x", "is int8 already")
    refuse(store, trained.folder, made[1].folder, "exists already", UsageError)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_leaves_nothing(store, trained, tmp_path, monkeypatch):
    class Interrupting(Silent):
        @contextmanager
        def step(self, *_, **__):
            yield self

        def advance(self, *_, **__):
            raise Interrupted(signal.SIGINT)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(Interrupted):
        quantise(store, str(trained.folder), tmp_path / "int8", Interrupting())
    assert not list(tmp_path.iterdir())


def compared(**int8):
    engine = Engine(
        precision="float32", log_loss=0.5, balanced_accuracy=0.8, macro_auroc=0.9,
        malignant_sensitivity=0.95, malignant_specificity=0.7, temperature=1.0,
        operating_point=0.3, milliseconds=2.0, megabytes=1.0,
    )  # fmt: skip
    return Comparison(
        n_images=10, float32=engine, int8=dataclasses.replace(engine, **int8),
        same_diagnosis=1.0, largest_difference=0.0, mean_difference=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("int8", "lost"),
    [
        ({}, set()),
        ({"log_loss": 0.1, "balanced_accuracy": 0.9, "malignant_specificity": 0.9}, set()),
        ({"log_loss": 0.51, "balanced_accuracy": 0.795, "malignant_specificity": 0.69}, set()),
        ({"log_loss": 0.53}, {"log loss"}),
        ({"balanced_accuracy": 0.78}, {"balanced accuracy"}),
        ({"malignant_specificity": 0.6}, {"malignant specificity"}),
        ({"malignant_specificity": None}, set()),
    ],
)
def test_each_loss_has_a_bound(int8, lost):
    found = losses(compared(**int8), Int8Config())
    assert {loss.name for loss in found if not loss.ok} == lost
