"""The report's figures: each a chart with its caption, its numbers below for who cannot see it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from matplotlib.figure import Figure

from skincli.data.reading.metadata import MetadataRow
from skincli.data.records import DataInfo
from skincli.data.seeing.charts import bars, heat_map, histograms, shares
from skincli.pages.markup import Html, counts_table, element
from skincli.pages.svg import to_svg

_AGE_BIN = 5  # years; HAM10000 gives ages in steps of 5


def figures(info: DataInfo, rows: Iterable[MetadataRow]) -> Html:
    """All charts of the counts, and of the ages in `rows`."""
    diagnoses = {
        dx: {"images": images, "lesions": info.lesions_by_dx[dx]}
        for dx, images in info.images_by_dx.items()
    }
    parts = {
        dx: {part: counts.get(dx, 0) for part, counts in info.parts.items()} for dx in diagnoses
    }
    confirmation = {
        dx: {dx_type: counts.get(dx_type, 0) for dx_type in info.by_dx_type}
        for dx, counts in info.dx_type_by_dx.items()
    }
    source = info.dx_by_dataset
    drawn = (
        _figure("Diagnoses", bars(diagnoses), "diagnosis", diagnoses),
        _figure("Parts by diagnosis", shares(parts), "diagnosis", parts),
        _ages(rows, list(diagnoses)),
        _figure("Confirmation by diagnosis", shares(confirmation), "diagnosis", confirmation),
        _figure(_source_title(info), heat_map(source, list(diagnoses)), "source", source),
        _images("Body site (images)", "site", info.by_localization),
        _images("Sex (images)", "sex", info.by_sex),
        _lesions("Lesions by their number of images", info.images_per_lesion),
    )
    return element("div", *drawn, class_="figures")


def _source_title(info: DataInfo) -> str:
    found = info.confounding
    strength = f", Cramér's V {found.cramers_v:.2f}" if found else ""
    return f"Source and diagnosis{strength} (colour: share of the source's images)"


def _images(title: str, first: str, counts: Mapping[str, int]) -> Html:
    table = {name: {"images": count} for name, count in counts.items()}
    return _figure(title, bars(table), first, table)


def _lesions(title: str, counts: Mapping[int, int]) -> Html:
    table = {str(images): {"lesions": count} for images, count in counts.items()}
    return _figure(title, bars(table), "images", table)


def _ages(rows: Iterable[MetadataRow], codes: Iterable[str]) -> Html:
    ages: dict[str, list[float]] = {dx: [] for dx in codes}
    for row in rows:
        if row.age is not None:
            ages[row.dx].append(row.age)
    counts = {
        dx: Counter(int(age // _AGE_BIN) * _AGE_BIN for age in found) for dx, found in ages.items()
    }
    starts = sorted({start for found in counts.values() for start in found})
    table = {dx: {str(start): found[start] for start in starts} for dx, found in counts.items()}
    chart = histograms(ages, _AGE_BIN, "age in years")
    return _figure("Age by diagnosis (each to its own scale)", chart, "age from", table)


def _figure(title: str, chart: Figure, first: str, counts: Mapping[str, Mapping[str, int]]) -> Html:
    name = "".join(c for c in title.lower() if c.isalpha())
    return element(
        "figure",
        element("figcaption", title),
        to_svg(chart, name, f"{title}; the numbers are below"),
        element("details", element("summary", "Numbers"), counts_table(first, counts)),
    )
