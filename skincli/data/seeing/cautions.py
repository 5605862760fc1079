"""What to be careful about in a data set: sentences that follow from its counts."""

from collections.abc import Iterator, Mapping
from typing import Final

from skincli.data.records import Confounding, DataInfo

# The smallest effect worth a name (Cohen 1988, Statistical Power Analysis, chapter 7).
_WEAK: Final = 0.1
_FEW_LESIONS: Final = 50
_CONFIRMED: Final = frozenset({"histo", "histopathology"})


def cautions(info: DataInfo) -> tuple[str, ...]:
    """One sentence for each pitfall that the counts show; `info.cautions` plays no role."""
    return tuple(_cautions(info))


def strongest_case(found: Confounding) -> str:
    """The source that gives a diagnosis away most, in words."""
    return (
        f"{found.dataset}: {found.n_images:,} of its {found.n_images_of_dataset:,} images "
        f"are {found.dx}"
    )


def _cautions(info: DataInfo) -> Iterator[str]:
    if info.synthetic:
        yield "The images are drawn: nothing measured on them says anything about real skin."
    if not info.verified and info.source != "folder":
        yield "The files were not checked against known checksums."
    if info.confounding and info.confounding.cramers_v >= _WEAK:
        yield (
            f"The source hints at the diagnosis (Cramér's V {info.confounding.cramers_v:.2f}). "
            f"{strongest_case(info.confounding)}. A model may learn the camera, not the lesion."
        )
    for warning in info.prepared.warnings if info.prepared else ():
        yield f"{warning[:1].upper()}{warning[1:]}."
    yield from _few_lesions(info)
    yield from _missing_values(info)
    yield from _unconfirmed(info)
    yield from _left_out(info)
    if info.source == "ham10000":
        # Where it was collected: Tschandl et al. 2018 (doi:10.1038/sdata.2018.161).
        yield (
            "HAM10000 was collected in Vienna and Queensland and holds almost no dark skin: "
            "what is measured on it does not carry over to dark skin."
        )


def _few_lesions(info: DataInfo) -> Iterator[str]:
    few = {dx: count for dx, count in info.lesions_by_dx.items() if count < _FEW_LESIONS}
    if few:
        listed = ", ".join(f"{dx} {count}" for dx, count in few.items())
        yield f"Fewer than {_FEW_LESIONS} lesions: {listed}. Their figures will be uncertain."


def _missing_values(info: DataInfo) -> Iterator[str]:
    gaps = {name: count for name, count in info.missing.items() if count}
    if gaps:
        listed = ", ".join(
            f"{name} {count:,} ({count / info.n_images:.1%})"
            for name, count in sorted(gaps.items(), key=lambda item: -item[1])
        )
        yield f"Missing values: {listed}."


def _unconfirmed(info: DataInfo) -> Iterator[str]:
    """Where the biopsied share depends on the class, the labels' quality does too."""
    if info.missing["dx_type"] == info.n_images:
        return
    shares = {dx: _unconfirmed_share(counts) for dx, counts in info.dx_type_by_dx.items()}
    listed = [f"{dx} {s:.0%}" for dx, s in sorted(shares.items(), key=lambda i: -i[1]) if s > 0]
    if listed:
        yield f"Not confirmed by histopathology: {', '.join(listed)} of their images."


def _unconfirmed_share(counts: Mapping[str, int]) -> float:
    confirmed = sum(count for name, count in counts.items() if name.lower() in _CONFIRMED)
    return 1 - confirmed / sum(counts.values())


def _left_out(info: DataInfo) -> Iterator[str]:
    if info.rejected:
        listed = ", ".join(f"{reason} {count:,}" for reason, count in info.rejected.items())
        yield f"Rows left out: {sum(info.rejected.values()):,} ({listed})."
    if info.prepared and info.prepared.n_quarantined:
        yield (
            f"Images in no part, as they would tie lesions of two parts together: "
            f"{info.prepared.n_quarantined:,}."
        )
    across = (info.duplicates or {}).get("across lesions", 0)
    if across:
        yield f"Pairs of the same picture under different lesion ids: {across:,}."
