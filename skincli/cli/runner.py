"""`skincli runner-setup`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from skincli.cli import runner_lines
from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import Session, session
from skincli.errors import Interrupted, SkincliError, UsageError

# Options by the setting that each is another way to write.
_TEXTS = ("name", "labels", "idle_timeout", "shm_size", "engine")
_TOGETHER = (["--dry-run", "--replace"], ["--replace", "--foreground"])


def add_to(app: typer.Typer) -> None:
    app.command("runner-setup")(runner_setup)


def runner_setup(
    overrides: Overrides = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="cml|actions", help="CML's image, or GitHub's own, anew for each job."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the container.")] = None,
    labels: Annotated[
        str | None, typer.Option(help="What workflows ask for, separated by commas.")
    ] = None,
    idle_timeout: Annotated[
        str | None, typer.Option(metavar="never|3min|1h", help="End after so long without a job.")
    ] = None,
    single: Annotated[bool, typer.Option("--single", help="End after one job.")] = False,
    cpu: Annotated[bool, typer.Option("--cpu", help="Give it no GPU.")] = False,
    shm_size: Annotated[str | None, typer.Option(help="Shared memory, such as 8g.")] = None,
    image: Annotated[str | None, typer.Option(help="Image of the engine.")] = None,
    allow_public: Annotated[
        bool, typer.Option("--allow-public", help="Accept a repository that everybody can see.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and print the commands, start nothing.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="End the old one, remove ghosts, start anew.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Tell whether it runs.")] = False,
    logs: Annotated[bool, typer.Option("--logs", help="Follow its log.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End it; GitHub forgets it.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Start a stopped one again.")] = False,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Engine actions: stay, for a systemd unit.")
    ] = False,
    shell: Annotated[bool, typer.Option("--shell", help="Open a shell in it.")] = False,
    write_workflows: Annotated[
        bool, typer.Option("--write-workflows", help="Write .github/workflows for this repository.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="--write-workflows: over changed files; --stop, --replace: under a job of CML.",
        ),
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make this machine a GitHub runner: check it, start the runner, look after it."""
    texts = dict(zip(_TEXTS, (name, labels, idle_timeout, shm_size, engine), strict=True))
    words = [*(overrides or []), *_settings(texts, image, single, cpu)]
    flags = {
        "--dry-run": dry_run,
        "--replace": replace,
        "--foreground": foreground,
        "--status": status,
        "--logs": logs,
        "--stop": stop,
        "--start": start,
        "--shell": shell,
        "--write-workflows": write_workflows,
    }
    with session(words, config, json, debug) as s:
        match _chosen(flags, json, force):
            case "--status":
                _status(s)
            case "--logs":
                _logs(s)
            case "--stop":
                _stop(s, force)
            case "--start":
                _start(s, allow_public)
            case "--shell":
                _shell(s)
            case "--write-workflows":
                _write_workflows(s, force)
            case _:
                _set_up(s, dry_run, replace, allow_public, foreground, force)


def _settings(
    texts: dict[str, str | None], image: str | None, single: bool, cpu: bool
) -> list[str]:
    """The options as the overrides that they stand for: one layer sets and explains them."""
    found = [f"runner.{key}={text}" for key, text in texts.items() if text is not None]
    if image is not None:  # whichever engine is chosen takes its own
        found += [f"runner.cml_image={image}", f"runner.actions_image={image}"]
    return [*found, *["runner.single=true"] * single, *["runner.gpu=false"] * cpu]


def _chosen(flags: dict[str, bool], as_json: bool, force: bool) -> str:
    """The one thing to do. Raises UsageError where several were asked for."""
    chosen = [flag for flag, on in flags.items() if on]
    if len(chosen) > 1 and chosen not in _TOGETHER:
        words = " and ".join(f"`{flag}`" for flag in chosen)
        raise UsageError(
            f"{words} exclude each other", "give one; `--replace` goes with `--dry-run`"
        )
    only = chosen[-1] if chosen else ""
    if as_json and only in ("--logs", "--shell"):
        raise UsageError(f"`{only}` has no result that could be JSON", "leave `--json` out")
    if force and not {"--write-workflows", "--stop", "--replace"} & {*chosen}:
        raise UsageError(
            "`--force` belongs to `--write-workflows`, `--stop` and `--replace`", "leave it out"
        )
    return only


def _set_up(
    s: Session, dry_run: bool, replace: bool, allow_public: bool, foreground: bool, force: bool
) -> None:
    from skincli.runner.set_up import set_up_runner

    result = set_up_runner(
        s.config,
        s.progress,
        os.environ,
        dry_run=dry_run,
        replace=replace,
        allow_public=allow_public,
        foreground=foreground,
        force=force,
    )
    told = foreground and result.started  # before it began
    s.output.result(result, [] if told else runner_lines.of_set_up(result, dry_run))
    if result.started and not foreground:
        s.output.next(s.command("runner-setup --status"), s.command("runner-setup --logs"))
    elif result.failures:
        count = len(result.failures)
        what = "one thing is" if count == 1 else f"{count} things are"
        then = "nothing would start" if dry_run else "nothing was started"
        raise SkincliError(f"{then}: {what} to be mended first", "see the lines with ✗")


def _status(s: Session) -> None:
    from skincli.runner import lifecycle

    found = lifecycle.status(s.config, os.environ)
    s.output.result(found, runner_lines.of_status(found, s.config.runner.name))
    if not found.running:
        kept = found.container is not None and found.container.labels.engine == "cml"
        s.output.next(s.command(f"runner-setup{' --start' if kept else ''}"))
        raise typer.Exit(1)


def _logs(s: Session) -> None:
    from skincli.runner import lifecycle

    try:
        lifecycle.follow(s.config, os.environ, lambda line: s.output.result(line, [line]))
    except Interrupted as error:  # the way to end it
        raise typer.Exit(error.exit_code) from None


def _stop(s: Session, force: bool) -> None:
    from skincli.runner import lifecycle

    result = lifecycle.stop(s.config, os.environ, s.progress, force=force)
    s.output.result(result, runner_lines.of_stop(result, s.config.runner.name))
    if result.unregistered is False:
        raise typer.Exit(1)
    if result.kept:
        s.output.next(s.command("runner-setup --start"), s.command("runner-setup --replace"))
    else:
        s.output.next(s.command("runner-setup"))


def _start(s: Session, allow_public: bool) -> None:
    from skincli.runner import lifecycle

    found = lifecycle.start(s.config, os.environ, s.progress, allow_public=allow_public)
    s.output.result(found, runner_lines.of_status(found, s.config.runner.name))


def _shell(s: Session) -> None:
    from skincli.runner import lifecycle
    from skincli.runner.token import without_tokens

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "`--shell` needs a terminal", f"`docker exec {s.config.runner.name} COMMAND` needs none"
        )
    command = lifecycle.shell_command(s.config, os.environ)
    os.execvpe(command[0], command, without_tokens(os.environ))  # noqa: S606 - no shell between


def _write_workflows(s: Session, force: bool) -> None:
    from skincli.runner.workflows import write_workflows

    result = write_workflows(Path.cwd(), s.config.runner, os.environ, force=force)
    s.output.result(result, runner_lines.of_workflows(result))
