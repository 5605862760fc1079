"""`skincli track start | status | stop | publish | migrate | backup`."""

from typing import Annotated

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides, only_word, split_words
from skincli.cli.session import session
from skincli.errors import Interrupted

app = typer.Typer(help="MLflow's tracking server on the configured store.", no_args_is_help=True)


@app.command()
def start(
    overrides: Overrides = None,
    background: Annotated[
        bool, typer.Option("--background", help="Return once it answers; it goes on.")
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Start the server and wait until it answers. Ctrl-C stops it."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.tracking import server

        state = server.start(s.config.tracking, s.progress)
        told = [f"Tracking server at {state.address} on {state.store} (log: {state.log})"]
        if s.config.tracking.allowed_hosts:
            names = ", ".join(s.config.tracking.allowed_hosts)
            told.append(f"It answers to {names} and this machine's own names, others get 403")
        if background:
            s.output.result(state, told)
            s.output.next(s.command("track status"), s.command("track stop"))
            return
        try:
            s.output.result(state, told)
            s.progress.note("Ctrl-C stops it")
            server.wait(state)
        except Interrupted:
            server.stop(s.config.tracking)
            s.progress.note("Stopped")


@app.command()
def status(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell whether the server runs and answers."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.tracking import server

        found = server.status(s.config.tracking)
        if found.running and found.state:
            answers = "answers" if found.answers else "does not answer yet"
            lines = [f"Running at {found.state.address} ({answers}), pid {found.state.pid}"]
            lines += [f"MLflow {found.version}"] if found.version else []
        else:
            lines = ["Not running"]
            s.output.next(s.command("track start"))
        s.output.result(found, lines)


@app.command()
def stop(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Stop the server that was started on this store."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.tracking import server

        stopped = server.stop(s.config.tracking)
        s.output.result({"stopped": stopped}, ["Stopped" if stopped else "Not running"])


@app.command()
def publish(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="RUN [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Send what the store has not got of a run: a run folder, or the start of a run id."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.tracking.publish import publish as run

        result = run(s.config, only_word(names, "RUN"), s.progress)
        sent = f"sent {result.sent} records" if result.sent else "the store has everything already"
        known = "" if result.run_id == result.store_run_id else f" (here {result.run_id})"
        s.output.result(result, [f"Run {result.store_run_id}{known}, {result.status}: {sent}"])
        if result.has_model:
            s.output.next(s.command(f"evaluate {result.store_run_id}"))
        elif result.status != "FINISHED":
            s.output.next(s.command("train --resume"))


@app.command()
def migrate(
    to: Annotated[
        str, typer.Option("--to", metavar="URI", help="The store to copy to, such as a server.")
    ],
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy the embedded store into another: experiments, runs, files, models, aliases."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.tracking.migration.migrate import migrate as run

        result = run(s.config.tracking, to, s.progress)
        lines = [
            f"{result.target} holds {result.runs} runs of {result.experiments} experiments, "
            f"{result.metrics} metric values, {result.files} files, {result.bundles} bundles, "
            f"{result.versions} versions and {result.aliases} aliases of the source: read back and "
            f"the same ({result.copied} runs were copied now)"
        ]
        s.output.result(result, lines)


@app.command()
def backup(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy the store's database and files, while it is in use."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.cli.amounts import how_much
        from skincli.tracking.backup import backup as run

        result = run(s.config.tracking, s.progress)
        lines = [f"{result.folder}: {result.files} files, {how_much(result.bytes, 0, 'bytes')}"]
        if result.left:
            lines.append(f"Not in it: {result.left}, which its own versioning keeps")
        s.output.result(result, lines)
