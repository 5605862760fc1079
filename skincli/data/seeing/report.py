"""The verb `write_report`: a data set as one HTML page that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.data.records import DataInfo, DuplicatePair, Rejected
from skincli.data.seeing.choosing import sample_by_dx
from skincli.data.seeing.contents import Contents, open_contents
from skincli.data.seeing.describing import summarise
from skincli.data.seeing.figures import figures
from skincli.data.seeing.thumbnails import Thumbnails
from skincli.data.seeing.writing import write_whole
from skincli.pages.markup import Html, bullets, element, facts, join, sections, table
from skincli.pages.page import page
from skincli.progress import Progress

REPORT: Final = "report.html"
_PER_DX: Final = 24
_MOST_REJECTED: Final = 200
_MOST_PAIRS: Final = 200


@dataclass(frozen=True, slots=True)
class Report:
    """The page that was written, and the counts that it shows."""

    path: Path
    bytes: int
    info: DataInfo


def write_report(config: Config, path: Path | None, progress: Progress) -> Report:
    """Write the page, by default as `report.html` into the set's folder. The same data and seed
    give the same bytes.

    Raises DataError when nothing was fetched or it cannot be used, SkincliError when the page
    cannot be written.
    """
    with open_contents(config) as contents:
        info = summarise(contents)
        page = render(info, contents, config.seed, progress).encode()
        target = path or contents.folder.path / REPORT
    write_whole(target, page)
    return Report(target, len(page), info)


def render(info: DataInfo, contents: Contents, seed: int, progress: Progress) -> str:
    """The whole page. `seed` decides which images are shown."""
    chosen = sample_by_dx(contents.rows, _PER_DX, seed)
    # Those that bridge lesions first: they would leak from one part into another.
    pairs = sorted(
        contents.duplicates or (), key=lambda pair: pair.first_lesion == pair.second_lesion
    )
    pairs = pairs[:_MOST_PAIRS]
    total = sum(len(rows) for rows in chosen.values()) + 2 * len(pairs)
    with progress.step("Drawing thumbnails", total) as step:
        thumbnails = Thumbnails(contents.picture, step)
        sheets = [
            thumbnails.sheet(dx, rows, info.lesions_by_dx.get(dx, 0)) for dx, rows in chosen.items()
        ]
        duplicates = _duplicates(contents.duplicates, thumbnails.pairs(pairs))
    chosen_how = element("p", f"Chosen by lot (seed {seed}), one image per lesion.")
    content = {
        "What to be careful about": bullets(info.cautions),
        "Counts": figures(info, contents.rows),
        "Missing values": _missing(info),
        "Images": join((chosen_how, *sheets)),
        "Duplicates": duplicates,
        "Rows left out": _rejected(contents.rejected),
    }
    return page(f"{info.name} · data report", join((_header(info), sections(content))))


def _header(info: DataInfo) -> Html:
    pairs = {
        "images": f"{info.n_images:,} of {info.n_lesions:,} lesions",
        "origin": info.origin,
        "licence": info.licence,
        "verified": "yes" if info.verified else "no: not checked against known checksums",
    }
    made = info.prepared
    if made is None:
        pairs["prepared"] = "not yet"
    else:
        pairs |= {
            "prepared": f"{made.image_size} px, {made.crop}",
            "split": f"{made.split}, version {made.split_version}",
            "data fingerprint": made.dataset_fingerprint,
            "split fingerprint": made.split_fingerprint,
            "test fingerprint": made.test_fingerprint,
        }
    drawn = [element("p", "Synthetic data", class_="synthetic")] if info.synthetic else []
    return element("header", element("h1", info.name), *drawn, facts(pairs))


def _missing(info: DataInfo) -> Html:
    rows = ((name, count, count / info.n_images) for name, count in info.missing.items())
    return table(["column", "images without", "share"], rows)


def _duplicates(pairs: Sequence[DuplicatePair] | None, shown: Html) -> Html:
    if pairs is None:
        return element("p", "Not looked for yet: `skincli data prepare` does.")
    if not pairs:
        return element("p", "None were found.")
    more = f" The first {_MOST_PAIRS} are shown." if len(pairs) > _MOST_PAIRS else ""
    across = sum(pair.first_lesion != pair.second_lesion for pair in pairs)
    text = (
        f"{len(pairs):,} pairs show the same picture, {across:,} of them under different lesion "
        f"ids. The difference is in grey levels (0 to 255) of small copies.{more}"
    )
    return join((element("p", text), shown))


def _rejected(rows: Sequence[Rejected]) -> Html:
    if not rows:
        return element("p", "None.")
    listed = [[row.image_id, str(row.line or ""), row.reason, row.detail] for row in rows]
    more = f" The first {_MOST_REJECTED} are listed." if len(rows) > _MOST_REJECTED else ""
    return join(
        (
            element("p", f"{len(rows):,} rows.{more}"),
            table(["image", "line", "reason", "detail"], listed[:_MOST_REJECTED]),
        )
    )
