"""Short runs, and what was said in them."""

from collections.abc import Mapping

from skincli.config.schema import Config
from skincli.progress import Silent
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.runs import recorded_run


class Said(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def record(
    config: Config,
    said: Silent,
    losses: Mapping[int, float],
    *,
    folder: RunFolder | None = None,
    error: BaseException | None = None,
) -> None:
    """Begin a run or go on with one, tell of these epochs, and end."""
    with recorded_run(config, "tiny", "", folder, said) as recorder:
        for epoch, loss in losses.items():
            recorder.metrics({"loss": loss}, epoch)
        if error is not None:
            raise error
