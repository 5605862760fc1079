"""Several processes that train together: who leads, and how all of them find the leader's folder.

The first process owns the run: it records, exports and seals. The others only train along.
Processes are started by Lightning, which runs the command again for each, or from outside by
torchrun or SLURM.
"""

import os
from pathlib import Path
from typing import Final

import torch

from skincli.config.schema import Config
from skincli.errors import ConfigError
from skincli.tracking.run_folder import RunFolder
from skincli.training.device import new_trainer

_RUN_FOLDER: Final = "SKINCLI_RUN_FOLDER"


def global_rank(config: Config, device: torch.device) -> int:
    """The number of this process: 0 leads. Rank variables of a lone process mean nothing.

    Raises ConfigError where several machines were not started together.
    """
    if config.trainer.processes == 1:
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
        os.environ[_RUN_FOLDER] = str(folder.path)
        _broadcast(config, device, str(folder.path))


def follow(config: Config, device: torch.device) -> RunFolder:
    """Wait for the leader, who prepares the data meanwhile, and return the run's folder."""
    told = os.environ.get(_RUN_FOLDER) or _broadcast(config, device, "")
    return RunFolder(Path(told))


def _broadcast(config: Config, device: torch.device, path: str) -> str:
    strategy = new_trainer(config, device).strategy
    if strategy.launcher is not None:  # Lightning starts the others later, with our environment
        return path
    strategy.setup_environment()
    told: str = strategy.broadcast(path)
    return told
