"""The command line with instruments: what `skincli` runs, watched and struck from within.

Lightning and torchrun start this file again for each process, as they would the command.

- `STRIKE=moment:number:SIGNAL[:rank]` sends this process a signal the number-th time that it
  reaches `step`, `validation` (a batch of it) or `sealing`.
- `SEEN=folder` writes down there which images each process learned from and was measured on.
- `STEADY=1` keeps the norm statistics as they were at the start.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from skincli.cli import main
from skincli.training import train
from skincli.training.input.sources import Mapped
from skincli.training.module import LesionModule

RANK = os.environ.get("LOCAL_RANK", "0")


def before(owner, name, act):
    original = getattr(owner, name)

    def wrapped(*arguments, **named):
        act(*arguments)
        return original(*arguments, **named)

    setattr(owner, name, wrapped)


def strike(moment, number, name, rank="0"):
    counted = []

    def act(*_):
        counted.append(None)
        if len(counted) == int(number) and rank == RANK:
            os.kill(os.getpid(), getattr(signal, name))

    places = {
        "step": (LesionModule, "training_step"),
        "validation": (LesionModule, "validation_step"),
        "sealing": (train, "seal_bundle"),
    }
    before(*places[moment], act)


def write_down(folder):
    """A line a batch: the rows of the pack."""
    batches = Mapped.batches

    def watched(source, order, size):
        with (folder / f"{RANK}.jsonl").open("a") as stream:
            for number, batch in enumerate(batches(source, order, size)):
                rows = source._rows[order[number * size : (number + 1) * size]]
                stream.write(json.dumps(rows.tolist()) + "\n")
                stream.flush()
                yield batch

    Mapped.batches = watched


def keep_norms(module):
    for layer in module.modules():
        if isinstance(layer, _BatchNorm):
            layer.eval()


def install():
    torch.set_num_threads(1)
    if "STRIKE" in os.environ:
        strike(*os.environ["STRIKE"].split(":"))
    if "SEEN" in os.environ:
        write_down(Path(os.environ["SEEN"]))
    if "STEADY" in os.environ:
        before(LesionModule, "training_step", lambda module, *_: keep_norms(module))


if __name__ == "__main__":
    install()
    sys.exit(main())
