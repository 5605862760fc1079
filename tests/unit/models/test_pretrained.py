"""Pretrained weights: the real loading code against a server on loopback, and without one."""

import hashlib
import re
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
import torchvision

from skincli.config.training import ModelConfig
from skincli.errors import SkincliError, UsageError
from skincli.models import pretrained
from skincli.models.backbones import TORCHVISION, build_backbone

NAME = "shufflenet_v2_x0_5"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def weights(tmp_path):
    """A real state dict under the name that carries its hash, as torchvision's host has it."""
    torch.manual_seed(3)
    model = torchvision.models.get_model(NAME, weights=None)
    folder = tmp_path / "host"
    folder.mkdir()
    torch.save(model.state_dict(), folder / "raw.pth")
    digest = hashlib.sha256((folder / "raw.pth").read_bytes()).hexdigest()
    return (folder / "raw.pth").rename(folder / f"{NAME}-{digest[:8]}.pth"), model


@pytest.fixture
def host(weights, tmp_path, monkeypatch):
    path, _ = weights
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(path.parent)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/{path.name}"
    monkeypatch.setattr(pretrained, "weights_url", lambda _: url)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    yield server
    server.shutdown()
    server.server_close()


def build(**options):
    return build_backbone(ModelConfig(backbone=NAME, **options)).network


def test_weights_are_downloaded_checked_and_used(host, weights, tmp_path):
    first = next(iter(build(pretrained=True).parameters()))
    assert torch.equal(first, next(iter(weights[1].parameters())))
    cached = next((tmp_path / "hub" / "checkpoints").iterdir())
    cached.write_bytes(b"rubbish")
    with pytest.raises(SkincliError, match="is damaged"):
        build(pretrained=True)


def test_without_the_host_the_error_names_both_ways_on(host, monkeypatch, tmp_path):
    dead = f"http://127.0.0.1:{host.server_port}/nowhere-00000000.pth"
    monkeypatch.setattr(pretrained, "weights_url", lambda _: dead)
    with pytest.raises(SkincliError, match="cannot be downloaded") as caught:
        build(pretrained=True)
    assert "model.pretrained=false" in caught.value.hint
    assert "model.weights=FILE" in caught.value.hint
    assert not list((tmp_path / "hub").rglob("*.pth"))


def test_a_users_own_file_is_used_and_a_wrong_one_refused(weights, tmp_path):
    path, model = weights
    loaded = next(iter(build(weights=str(path)).parameters()))
    assert torch.equal(loaded, next(iter(model.parameters())))
    other = tmp_path / "other.pth"
    torch.save(torchvision.models.get_model("resnet18", weights=None).state_dict(), other)
    with pytest.raises(UsageError, match="does not fit"):
        build(weights=str(other))
    with pytest.raises(UsageError, match="no weights file"):
        build(weights=str(tmp_path / "none.pth"))


def test_a_file_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "evil.pth"
    torch.save({"x": pytest.raises}, path)
    with pytest.raises(UsageError, match="safe to load"):
        build(weights=str(path))


@pytest.mark.parametrize("name", TORCHVISION)
def test_every_familys_weights_carry_a_hash_that_is_checked(name):
    url = pretrained.weights_url(name)
    assert url.startswith("https://")
    assert len(pretrained._hash_in(url) or "") >= 8


def test_a_host_that_never_answers_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    monkeypatch.setattr(pretrained, "_STALL_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/net-00000000.pth"
        monkeypatch.setattr(pretrained, "weights_url", lambda _: url)
        with pytest.raises(SkincliError, match=r"cannot be downloaded.*timed out"):
            build(pretrained=True)
    assert socket.getdefaulttimeout() is None


def test_densenets_published_names_are_understood(tmp_path):
    """As in torchvision's files: `denselayer1.norm.1.weight`, not `denselayer1.norm1.weight`."""
    model = torchvision.models.get_model("densenet121", weights=None)
    torch.nn.init.constant_(model.features.denseblock2.denselayer3.norm2.weight, 7.0)
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", key): value
        for key, value in model.state_dict().items()
    }
    torch.save(old, tmp_path / "densenet.pth")
    config = ModelConfig(backbone="densenet121", weights=str(tmp_path / "densenet.pth"))
    features = build_backbone(config).network[0]
    assert (features.denseblock2.denselayer3.norm2.weight == 7).all()


def test_convnexts_last_norm_is_loaded_though_it_sits_in_the_classifier(tmp_path):
    model = torchvision.models.get_model("convnext_tiny", weights=None, num_classes=3)
    torch.nn.init.constant_(model.classifier[0].weight, 7.0)
    torch.save(model.state_dict(), tmp_path / "convnext.pth")
    config = ModelConfig(backbone="convnext_tiny", weights=str(tmp_path / "convnext.pth"))
    assert (build_backbone(config).network[1].weight == 7).all()
