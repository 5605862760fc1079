"""What stands before all sections of a report: the verdict, and what was trained."""

from collections.abc import Iterator
from typing import Final

from skincli.pages.markdown import Markdown, blocks, bullets, code, heading, plain, strong, table
from skincli.reporting.facts import Facts, Measured, Standing, Trained
from skincli.reporting.words import cut

# By this a workflow finds the comment that it wrote before.
MARKER: Final = "<!-- skincli report -->"
_SHORT: Final = 12


def head(facts: Facts) -> Markdown:
    """The verdict in one line, what kind of data it is about, and a table of what was trained."""
    trained = facts.trained
    columns, *rows = _identity(trained, facts.measured)
    parts = [
        Markdown(MARKER),
        heading(2, f"Training report: {cut(trained.run_name)}"),
        _verdict(facts.standing),
        _banner(trained.synthetic),
        table(columns, rows),
    ]
    if trained.data_warnings:
        parts.append(bullets(map(cut, trained.data_warnings)))
    return blocks(parts)


def _verdict(standing: Standing) -> Markdown:
    checks = standing.verdict.checks
    unmet = sum(not check.ok for check in checks)
    if unmet:
        said = f"✗ The gate is not met: {unmet} of {len(checks)} conditions fail"
    else:
        said = f"✓ The gate is met: all {len(checks)} conditions hold"
    command = f": {code(cut(standing.command))}" if standing.command else ""
    return Markdown(f"{strong(said)}; {plain(cut(standing.follows))}{command}")


def _banner(synthetic: bool) -> Markdown:
    disclaimer = plain("Research software, not a medical device.")
    if not synthetic:
        return disclaimer
    warning = strong("Synthetic data: drawn images, not a medical result.")
    return Markdown(f"{warning} {disclaimer}")


def _identity(trained: Trained, measured: Measured) -> Iterator[tuple[str, str]]:
    kind = " (synthetic)" if trained.synthetic else ""
    data = f"{cut(trained.data_name)}{kind}"
    yield "data set", _with(data, trained.dataset_fingerprint[:_SHORT])
    version = trained.data_version
    yield "data version", code(cut(version)) if version else "not kept with DVC"
    yield "split", code(trained.split_fingerprint[:_SHORT])
    tested = f", {measured.n_images:,} images of {measured.n_lesions:,} lesions"
    yield "test part", Markdown(code(measured.test_split) + tested)
    precision = "" if trained.precision == "float32" else f", {trained.precision}"
    yield "backbone", f"{cut(trained.backbone)}, {trained.image_size} px{precision}"
    # Not as code: GitHub makes a link of a commit that it knows.
    yield "commit", "not in git" if trained.git_commit in ("", "none") else trained.git_commit
    yield "run", _with(f"{trained.created}, id", trained.run_id)
    yield "seed", "unknown" if trained.seed is None else str(trained.seed)
    yield "bundle", code(trained.digest[:_SHORT])


def _with(text: str, identity: str) -> Markdown:
    return Markdown(f"{plain(text)} {code(identity)}")
