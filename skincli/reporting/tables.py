"""The figures of a report as tables."""

from typing import Any, Final

from skincli.evaluation.metrics import HEADLINE
from skincli.evaluation.report.blocks import number, spread, words
from skincli.evaluation.resampling import Interval
from skincli.evaluation.subgroups import FIGURES
from skincli.pages.markdown import Markdown, blocks, details, plain, strong, table
from skincli.reporting.facts import Figure, Measured, Standing
from skincli.reporting.words import cut

_CLASS_FIGURES: Final = ("sensitivity", "precision", "auroc")


def figures(standing: Standing, measured: Measured) -> Markdown:
    note = (
        "In brackets: 95 % intervals from lesions drawn with replacement. Of ECE, less is better."
    )
    if standing.alone:
        rows = [[words(name), spread(_figure(measured, name).model)] for name in HEADLINE]
        alone = f"Not held against a champion: {cut(standing.alone)}."
        return blocks((table(("metric", "this model"), rows), alone, note))
    compared = (
        "The difference is paired: both models were measured on the same images and the same "
        "draws. It is bold where its interval leaves out 0."
    )
    columns = ("metric", "this model", f"champion, {standing.champion}", "difference")
    rows = [_compared(name, _figure(measured, name)) for name in HEADLINE]
    return blocks((table(columns, rows), f"{note} {compared}"))


def _compared(name: str, figure: Figure) -> list[str]:
    found = figure.difference
    if found is None:
        return [words(name), spread(figure.model), spread(figure.champion), "–"]
    bounds = f"({found.low:+.3f} to {found.high:+.3f})".replace(" ", "\N{NO-BREAK SPACE}")
    text = f"{found.value:+.3f} {bounds}"
    said = strong(text) if found.low > 0 or found.high < 0 else text
    return [words(name), spread(figure.model), spread(figure.champion), said]


def confusion(measured: Measured) -> Markdown:
    codes = measured.classes
    rows = []
    for place, (name, counts) in enumerate(zip(codes, measured.confusion, strict=True)):
        cells = [_share(count, sum(counts)) for count in counts]
        cells[place] = strong(cells[place])
        rows.append([strong(name), *cells])
    note = (
        "A row for each true class, a column for each diagnosis: images, and their share of the "
        "class."
    )
    return blocks((table(("true \\ predicted", *codes), rows), note))


def _share(count: int, total: int) -> str:
    return f"{count:,} ({count / total:.0%})" if count else "0"


def classes(measured: Measured) -> Markdown:
    rows = [
        [
            name,
            f"{sum(counts):,}",
            *(spread(_figure(measured, f"per_class.{name}.{f}").model) for f in _CLASS_FIGURES),
        ]
        for name, counts in zip(measured.classes, measured.confusion, strict=True)
    ]
    columns = ("class", "images", *map(words, _CLASS_FIGURES))
    return details("Each class against the rest", table(columns, rows))


def subgroups(measured: Measured) -> Markdown:
    if not measured.subgroups:
        return plain("The metadata tell nothing to group the images by.")
    rows = [
        [
            cut(f"{group['kind']}: {group['name']}") + (" (small)" if group["small"] else ""),
            *(f"{group[name]:,}" for name in ("n_images", "n_malignant")),
            *(_stored(group["figures"].get(name)) for name in FIGURES),
        ]
        for group in measured.subgroups
    ]
    columns = ("subgroup", "images", "malignant", *map(words, FIGURES))
    return details(f"{len(rows)} subgroups", table(columns, rows))


def _figure(measured: Measured, name: str) -> Figure:
    return measured.figures.get(name) or Figure(model=None, champion=None, difference=None)


def _stored(found: dict[str, Any] | None) -> str:
    return number(None) if found is None else spread(Interval(**found))
