"""`skincli evaluate | compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from skincli.cli.figures import SYNTHETIC_NOTICE, headline, show_findings
from skincli.cli.options import ConfigFile, Debug, Json, only_word, split_words
from skincli.cli.output import Output
from skincli.cli.session import session
from skincli.errors import UsageError

if TYPE_CHECKING:
    from skincli.evaluation.comparing import CompareResult

_SHOWN_DISAGREEMENTS: Final = 20


def evaluate(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL [KEY=VALUE]...", show_default=False)
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME", help="Another data set, as an external test."),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option("--figures", metavar="FILE", help="Also write the headline figures as JSON."),
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Measure a model on the test split: a run id, models:/NAME@ALIAS, or a bundle folder."""
    names, overrides = split_words(words)
    external = [f"data={data}"] if data else []
    with session([*overrides, *external], config, json, debug) as s:
        from skincli.evaluation.evaluate import evaluate as run

        model = only_word(names, "MODEL")
        result = run(s.config, model, s.progress, external=data is not None)
        s.output.keep(figures, headline(result.metrics))
        what = "test part" if result.part == "test" else "whole set, external"
        s.output.result(
            result,
            [
                f"{result.data_name} ({what}): {result.n_images:,} images of "
                f"{result.n_lesions:,} lesions"
            ],
        )
        show_findings(s.output, result)
        where = [f"Report: {result.report}", f"Predictions and pictures: {result.folder}"]
        if not result.published:
            where.append("Not logged: the model's run is not in the tracking store")
        if result.synthetic:
            where.append(SYNTHETIC_NOTICE)
        if not s.output.as_json:
            s.output.result(None, where)
        if result.part == "test":
            s.output.next(s.command(f"promote {model}"))


def compare(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="A [B] [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Hold one evaluated model against another, or the champion, on the same images."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.evaluation.comparing import compare as run
        from skincli.evaluation.comparing import compare_with_champion

        if len(names) not in (1, 2):
            raise UsageError(f"give one or two models, A and B: got {len(names)}")
        a = names[0]
        if names[1:]:
            result = run(s.config, a, names[1], s.progress)
        else:
            against = compare_with_champion(s.config, a, s.progress)
            if against.compared is None:
                s.output.result(against, [f"Not compared: {against.obstacle}"])
                return
            result = against.compared
        s.output.result(
            result,
            [
                f"{result.data_name} ({result.part}): {result.n_images:,} images of "
                f"{result.n_lesions:,} lesions; A is {result.a}, B is {result.b}"
            ],
        )
        if not json:
            _show_comparison(s.output, result)
            s.output.next(s.command(f"promote {a} --dry-run"))


def _show_comparison(output: Output, result: "CompareResult") -> None:
    from skincli.evaluation.metrics import HEADLINE
    from skincli.evaluation.report.blocks import words

    shown = {name: result.figures[name] for name in HEADLINE if name in result.figures}
    rows = [
        [
            words(name),
            f"{found.a:.3f}",
            f"{found.b:.3f}",
            f"{found.difference.value:+.3f} "
            f"({found.difference.low:+.3f} to {found.difference.high:+.3f})",
            _p(found.difference.p_value),
        ]
        for name, found in shown.items()
    ]
    output.table(["metric", "A", "B", "A minus B (95 % interval)", "p"], rows)
    _show_disagreements(output, result)
    if result.synthetic:
        output.result(None, [SYNTHETIC_NOTICE])


def _show_disagreements(output: Output, result: "CompareResult") -> None:
    test = result.mcnemar
    output.result(
        None,
        [
            f"Right: only A {test.only_a:,} images, only B {test.only_b:,} (McNemar's test, p: "
            f"{_p(test.p_value)})",
            f"They disagree about {len(result.disagreements):,} images",
        ],
    )
    some = result.disagreements[:_SHOWN_DISAGREEMENTS]
    if some:
        cells = [
            [
                one.image_id,
                one.truth,
                _call(one.a, one.a_malignant),
                _call(one.b, one.b_malignant),
            ]
            for one in some
        ]
        output.table(["image", "truth", "A says", "B says"], cells)
    hidden = len(result.disagreements) - _SHOWN_DISAGREEMENTS
    if hidden > 0:
        output.result(None, [f"{hidden:,} more with `--json`"])


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _call(diagnosis: str, malignant: bool) -> str:
    return f"{diagnosis}, {'malignant' if malignant else 'benign'}"
