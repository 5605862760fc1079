"""What a run leaves for people: pictures and a table, in its folder and in the tracking store.

A picture that cannot be written (a full disk) is warned of; it never costs the training.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.data import PreparedSet
from skincli.progress import Progress
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.runs import RunRecorder
from skincli.training.classes import ClassTable, measure_classes, write_classes
from skincli.training.pictures.balance import balance_figure, count_classes
from skincli.training.pictures.canvas import save_png
from skincli.training.pictures.curves import curves_figure
from skincli.training.pictures.samples import samples_figure
from skincli.training.pictures.seen import see_samples

# Drawing while training goes on may take this share of the time.
_SHARE: Final = 0.02


class Report:
    """Draws and keeps what belongs to one run."""

    def __init__(
        self, config: Config, prepared: PreparedSet, recorder: RunRecorder, progress: Progress
    ) -> None:
        self._config, self._prepared = config, prepared
        self._recorder, self._progress = recorder, progress
        self._rest_until = 0.0

    @property
    def folder(self) -> RunFolder:
        return self._recorder.folder

    def start(self) -> None:
        """`balance.png` and `samples.png`: what there is to learn from."""
        self._keep("balance.png", self._draw_balance)
        self._keep("samples.png", self._draw_samples)

    def epoch(self) -> None:
        """Draw `curves.png` again, unless that would slow the training down."""
        began = time.monotonic()
        if began >= self._rest_until:
            self._try("curves.png", lambda to: self._draw_curves(to, None))
            now = time.monotonic()
            self._rest_until = now + (now - began) / _SHARE

    @contextmanager
    def training(self) -> Iterator[None]:
        """Around all epochs: a run that does not reach its end leaves `curves.png` too."""
        try:
            yield
        except BaseException:
            self._keep("curves.png", lambda to: self._draw_curves(to, None))
            raise

    def end(self, bundle: Bundle, chosen: int) -> ClassTable:
        """`curves.png`, `metrics.csv` and `classes.csv`; `chosen` is the epoch kept, from 0.

        Raises ModelError when the sealed model gives scores that are no numbers.
        """
        self._keep("curves.png", lambda to: self._draw_curves(to, chosen))
        self._recorder.file(self.folder.metrics)
        table = measure_classes(self._config, self._prepared, bundle, self._progress)
        self._keep("classes.csv", lambda to: write_classes(table, to))
        return table

    def _draw_balance(self, to: Path) -> None:
        codes, images, lesions = count_classes(self._prepared, self._config.task)
        save_png(balance_figure(codes, images, lesions, self._titled("Class balance")), to)

    def _draw_samples(self, to: Path) -> None:
        seen = see_samples(self._config, self._prepared)
        title = self._titled("Training images")
        save_png(samples_figure(seen.plain, seen.augmented, seen.labels, title), to)

    def _draw_curves(self, to: Path, chosen: int | None) -> None:
        rows = self.folder.read_metrics()
        if rows:
            save_png(curves_figure(rows, chosen, self._titled("Learning curves")), to)

    def _titled(self, what: str) -> str:
        kind = " (synthetic data)" if self._prepared.manifest.synthetic else ""
        return f"{what} of {self.folder.state().name}{kind}"

    def _keep(self, name: str, write: Callable[[Path], None]) -> None:
        if self._try(name, write):
            self._recorder.file(self.folder.path / name)

    def _try(self, name: str, write: Callable[[Path], None]) -> bool:
        """Whether the file is there afterwards."""
        to = self.folder.path / name
        try:
            write(to)
        except OSError as error:
            self._progress.warn(f"`{to}` was not written: {error.strerror or error}")
            return False
        return to.exists()
