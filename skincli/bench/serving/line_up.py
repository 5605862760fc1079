"""Who takes part: the service, and those peers that can run here."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from skincli.bench.serving.contenders import PEERS, Contender, Setting, ourselves, peer_contender
from skincli.bench.serving.installing import interpreter
from skincli.bench.serving.records import Engine
from skincli.bundle import BundleSpec
from skincli.errors import SkincliError


def line_up(setting: Setting, peers: Path | None) -> tuple[list[Contender], tuple[str, ...]]:
    """The service and the peers whose environments are in `peers`; who is left out, by name.

    Raises SkincliError for an environment that does not hold its peer.
    """
    contenders, left_out = [ourselves(setting)], []
    engines = _engines(setting.bundle.spec) if peers else ()
    for peer in PEERS:
        python = interpreter(peers, peer.package) if peers else None
        if python is None:
            left_out.append(peer.name)
            continue
        if "torch" not in engines:
            left_out.append(f"{peer.name}, torch")
        for engine in engines:
            contender = peer_contender(peer, engine, python, setting)
            _prepare(contender)
            contenders.append(contender)
    return contenders, tuple(left_out)


def _engines(spec: BundleSpec) -> Sequence[Engine]:
    """With torch too where torchvision has the network, and an image is seen once."""
    code = "import sys, torchvision; torchvision.models.get_model_builder(sys.argv[1])"
    if spec.views > 1:
        return ("onnx",)
    known = subprocess.run(
        [sys.executable, "-c", code, spec.backbone], capture_output=True, check=False
    )
    return ("onnx",) if known.returncode else ("onnx", "torch")


def _prepare(contender: Contender) -> None:
    if not contender.prepare:
        return
    done = subprocess.run(
        contender.prepare,
        env=contender.variables(0),
        cwd=contender.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SkincliError(f"{contender.server.name} cannot be prepared:\n{done.stderr.strip()}")
