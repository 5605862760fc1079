"""`skincli promote | rollback`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from skincli.cli.options import ConfigFile, Debug, Json, only_word, split_words
from skincli.cli.session import Session, session
from skincli.errors import GateError

if TYPE_CHECKING:
    from skincli.promotion.promote import PromoteResult


def add_to(app: typer.Typer) -> None:
    for command in (promote, rollback):
        app.command()(command)


def promote(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL [KEY=VALUE]...", show_default=False)
    ] = None,
    to: Annotated[
        Literal["champion", "challenger"],
        typer.Option("--to", help="What it is to become; no gate keeps it from challenger."),
    ] = "champion",
    unattended: Annotated[
        bool,
        typer.Option(
            "--unattended", help="Without promotion.automatic, only show the verdict: for jobs."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the verdict, register and move nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Promote although the gate is not met.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; recorded.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a model the champion if the policy allows; 3 if it does not."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.promotion.promote import promote as run

        model = only_word(names, "MODEL")
        result = run(
            s.config, model, s.progress,
            to=to, unattended=unattended, dry_run=dry_run, force=force, reason=reason,
        )  # fmt: skip
        s.output.result(result, _verdict_lines(result))
        if not result.promoted:
            raise _refusal(s, model, result)
        if result.held:
            return
        if result.dry_run:
            s.output.next(s.command(f"promote {model}"))
        elif to == "challenger":
            s.output.next(s.command(f"promote {model}"), s.command("models history"))
        else:
            s.output.next(s.command("serve"), s.command("models history"))


def rollback(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[VERSION] [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Move the champion alias back to the version before, or to VERSION."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.promotion.rollback import rollback as run

        version = only_word(names, "VERSION") if names else None
        result = run(s.config, version)
        s.output.result(
            result,
            [
                f"{result.name} version {result.version} is {result.alias} again, "
                f"before: version {result.before}"
            ],
        )
        s.output.next(s.command("models history"))


def _verdict_lines(result: "PromoteResult") -> list[str]:
    verdict = result.verdict
    lines = [f"{'✓' if c.ok else '✗'} {c.name}: {c.found}" for c in verdict.checks]
    models = "model was" if verdict.test_uses == 1 else "models were"
    lines.append(
        f"{verdict.test_uses} {models} measured on test split {verdict.test_split} so far; each "
        "further one makes its best figures a little more a matter of luck"
    )
    what = f"{result.name} version {result.version or 'to come'}"
    moves_on = result.before and result.alias != "challenger"
    before = f", before: version {result.before}" if moves_on else ""
    if result.held:
        return [*lines, f"It is the champion of {result.name} already, and stays that"]
    if result.left:
        lines.append("promotion.automatic is false, so the champion stays for a person to move")
    if result.promoted:
        verb = "would become" if result.dry_run else "is now"
        forced = " (forced)" if result.forced else ""
        lines.append(f"{what} {verb} {result.alias}{forced}{before}")
    elif not result.dry_run:
        lines.append(f"{what} is now challenger; {result.alias} stays as it was")
    return lines


def _refusal(s: Session, model: str, result: "PromoteResult") -> GateError:
    unmet = "; ".join(check.name for check in result.verdict.checks if not check.ok)
    forced = s.command(f"promote {model} --force --reason TEXT")
    return GateError(f"not promoted: the gate is not met ({unmet})", f"`{forced}` overrides it")
