"""The verb `report`: a measured model in, what is to be told about it out."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.progress import Progress
from skincli.reporting.collecting import collect
from skincli.reporting.facts import Standing
from skincli.reporting.markdown import to_markdown
from skincli.reporting.writing import REPORT_FILE, require_replaceable, write_report

_ROOT: Final = "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """Where the report is, how the model stands, and the sections that found no room in it."""

    folder: Path
    report: Path
    run_id: str
    met: bool
    standing: Standing
    left_out: tuple[str, ...]
    synthetic: bool


def report(config: Config, model: str, output: Path | None, progress: Progress) -> ReportResult:
    """Write what there is to tell about a model into the folder `output`, `reports/RUN` by default.

    The gate is asked and nothing follows from its verdict. Raises ModelError when the model was
    not measured on the current test part, UsageError when the folder holds something else.
    """
    if output is not None:
        require_replaceable(output)
    with tempfile.TemporaryDirectory() as scratch:
        collected = collect(config, model, Path(scratch), progress)
        facts, pictures = collected.facts, collected.pictures
        folder = output or Path(_ROOT) / collected.run_id
        require_replaceable(folder)
        written = to_markdown(facts, [picture.name for picture in pictures])
        write_report(folder, facts, written, pictures)
    return ReportResult(
        folder=folder,
        report=folder / REPORT_FILE,
        run_id=collected.run_id,
        met=facts.standing.verdict.met,
        standing=facts.standing,
        left_out=written.left_out,
        synthetic=facts.trained.synthetic,
    )
