"""The verb `predict` at a server: the same table, from answers in place of a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from skincli.config.schema import Config
from skincli.imaging import Limits
from skincli.prediction.find import find_images
from skincli.prediction.heatmaps import HeatmapFolder
from skincli.prediction.remote.address import open_client
from skincli.prediction.remote.asking import Asker
from skincli.prediction.remote.questions import Questions
from skincli.prediction.rows import PredictResult
from skincli.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where to ask, how many images at once, and whether in the clear over a network."""

    address: str
    concurrency: int
    allow_plain_http: bool


def predict_at(
    server: Server,
    config: Config,
    paths: Sequence[Path],
    progress: Progress,
    heatmaps: Path | None = None,
) -> PredictResult:
    """Ask a server about files and folders of images; a bad image is a row with its error.

    Where `heatmaps` names a folder, each image gets the server's class activation map there.
    Raises UsageError or DataError when there is no image to ask about, or this server is not to be
    asked; SkincliError when it does not answer.
    """
    images = find_images(paths)
    stop = Event()
    with (
        open_client(server.address, server.concurrency, server.allow_plain_http) as client,
        progress.step("Predicting", len(images)) as step,
    ):
        folder = HeatmapFolder(heatmaps, images) if heatmaps else None
        questions = Questions(Asker(client, stop, step), Limits.of(config.image), folder, step)
        model, rows = questions.ask_all(images, server.concurrency, stop)
    return PredictResult(
        rows=rows,
        model=model.name,
        version=model.version,
        bundle_digest=model.digest,
        synthetic=model.synthetic,
        classes=model.class_infos,
        operating_point=model.operating_point,
    )
