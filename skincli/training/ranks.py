"""Several processes that train together: who leads, and how all of them find the leader's folder.

The first process owns the run: it records, exports and seals. The others only train along.
Processes are started by Lightning, which runs the command again for each, or from outside by
torchrun or SLURM.
"""

import ctypes
import os
import signal
from pathlib import Path
from typing import Final

import torch

from skincli.config.schema import Config
from skincli.errors import ConfigError, Interrupted
from skincli.tracking.run_folder import RunFolder
from skincli.training.device import new_trainer

_RUN_FOLDER: Final = "SKINCLI_RUN_FOLDER"
_LEADER: Final = "SKINCLI_LEADER"
_PR_SET_PDEATHSIG: Final = 1


def global_rank(config: Config, device: torch.device) -> int:
    """The number of this process: 0 leads. Rank variables of a lone process mean nothing.

    Raises ConfigError where several machines were not started together.
    """
    if config.trainer.processes == 1:
        _require_alone()
        return 0
    trainer = new_trainer(config, device)
    if config.trainer.num_nodes > 1 and trainer.strategy.launcher is not None:
        raise ConfigError(
            f"trainer.num_nodes={config.trainer.num_nodes}, but this process was started alone",
            "start it on each machine through SLURM's `srun`, or through "
            "`torchrun --nnodes N --nproc-per-node D ... -m skincli train ...`",
        )
    return trainer.global_rank


def lead(config: Config, device: torch.device, folder: RunFolder) -> None:
    """Tell the other processes, present or yet to be started, where the run lies."""
    if config.trainer.processes > 1:
        os.environ |= {_RUN_FOLDER: str(folder.path), _LEADER: str(os.getpid())}
        _broadcast(config, device, str(folder.path))


def follow(config: Config, device: torch.device) -> RunFolder:
    """Wait for the leader, who prepares the data meanwhile, and return the run's folder."""
    told = os.environ.get(_RUN_FOLDER) or _broadcast(config, device, "")
    return RunFolder(Path(told))


def end_with_leader() -> None:
    """Let the kernel kill this process when the one that started it dies, however that happens.

    Else it would wait for the others, half an hour if they never come.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    leader = os.environ.get(_LEADER)
    if leader is not None and os.getppid() != int(leader):  # it died before
        raise Interrupted(signal.SIGTERM)


def _require_alone() -> None:
    """Raises ConfigError where torchrun started several: each would train a run of its own."""
    started = os.environ.get("WORLD_SIZE", "1") if "TORCHELASTIC_RUN_ID" in os.environ else "1"
    if started != "1":
        raise ConfigError(
            f"torchrun started {started} processes, and trainer.devices x trainer.num_nodes is 1",
            "set trainer.devices to its `--nproc-per-node`, trainer.num_nodes to its `--nnodes`",
        )


def _broadcast(config: Config, device: torch.device, path: str) -> str:
    strategy = new_trainer(config, device).strategy
    if strategy.launcher is not None:  # Lightning starts the others later, with our environment
        return path
    strategy.setup_environment()
    told: str = strategy.broadcast(path)
    return told
