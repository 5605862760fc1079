"""`skincli export --int8`: both engines side by side, and whether int8 is offered."""

from pathlib import Path
from typing import TYPE_CHECKING

from skincli.cli.figures import SYNTHETIC_NOTICE, number
from skincli.cli.session import Session
from skincli.errors import GateError

if TYPE_CHECKING:
    from skincli.quantising.comparing import Comparison, Engine, Loss
    from skincli.quantising.quantise import QuantiseResult

# A figure's name in `Engine`, what it is called here, and how many digits it has.
_FIGURES = (
    ("log_loss", "log loss", 4),
    ("balanced_accuracy", "balanced accuracy", 3),
    ("macro_auroc", "macro AUROC", 3),
    ("malignant_sensitivity", "malignant sensitivity", 3),
    ("malignant_specificity", "malignant specificity", 3),
    ("temperature", "temperature", 3),
    ("operating_point", "operating point", 3),
    ("milliseconds", "ms per image, one thread", 1),
    ("megabytes", "MB", 1),
)


def export_int8(s: Session, model: str, path: Path) -> None:
    """Raises GateError where int8 loses too much."""
    from skincli.quantising.quantise import quantise

    result = quantise(s.config, model, path, s.progress)
    s.output.result(result)
    _show(s, result)
    if result.path is None:
        raise _refusal(result.losses)
    if path.suffix != ".zip":
        s.output.next(s.command(f"serve serve.model={path}"))
    s.output.next(s.command(f"models import {path}"))


def _show(s: Session, result: "QuantiseResult") -> None:
    found = result.comparison
    rows = [_cells(name, digits, attribute, found) for attribute, name, digits in _FIGURES]
    title = f"Calibration part, {found.n_images:,} images"
    s.output.table(["", "float32", "int8"], rows, title)
    if s.output.as_json:
        return
    s.output.result(
        None,
        [
            f"Same diagnosis for {found.same_diagnosis:.1%} of the images; probabilities differ by "
            f"{found.mean_difference:.4f} on average, {found.largest_difference:.3f} at the most",
            *(_loss_line(loss) for loss in result.losses),
            *([SYNTHETIC_NOTICE] if result.synthetic else []),
            *([f"Wrote {result.path}", f"Digest {result.digest}"] if result.path else []),
        ],
    )
    if found.int8.milliseconds >= found.float32.milliseconds:
        s.progress.warn("int8 is no faster than float32 for this model on this machine")


def _cells(name: str, digits: int, attribute: str, found: "Comparison") -> list[str]:
    return [name, *(_figure(engine, attribute, digits) for engine in (found.float32, found.int8))]


def _figure(engine: "Engine", attribute: str, digits: int) -> str:
    value: float | None = getattr(engine, attribute)
    return number(value) if value is None else f"{value:.{digits}f}"


def _loss_line(loss: "Loss") -> str:
    mark, verb = "✓" if loss.ok else "✗", "loses" if loss.value >= 0 else "gains"
    return f"{mark} {loss.name}: int8 {verb} {abs(loss.value):.4f}, may lose {loss.limit:.4f}"


def _refusal(losses: "tuple[Loss, ...]") -> GateError:
    lost = "; ".join(loss.name for loss in losses if not loss.ok)
    return GateError(
        f"int8 is not offered: it loses more than is allowed ({lost})",
        "serve the float32 model; `int8.max_*` are the bounds, and more `int8.images` may help",
    )
