"""`skincli data version | push | pull | status | checkout | remote`."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides, only_word, split_words
from skincli.cli.session import session

if TYPE_CHECKING:
    from skincli.versioning.making import VersionResult
    from skincli.versioning.pointers import Pinned
    from skincli.versioning.status import DataStatus

_SHOWN = 20

Force = Annotated[bool, typer.Option("--force", help="Give up changes of the data at hand.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of data versions to `skincli data`."""
    for command in (version, remote, push, pull, status, checkout):
        app.command()(command)
    app.command(hidden=True)(check_params)


def version(
    overrides: Overrides = None,
    message: Annotated[
        str | None, typer.Option("-m", "--message", help="Commit the pointers with this message.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a version of the raw and the packed set: DVC keeps the data, git their pointers."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.versioning.making import version as run

        result = run(s.config, message, s.progress)
        s.output.result(result, _version_lines(result))
        if result.staged and not result.commit:
            s.output.next("git commit")
        s.output.next(s.command("data push"))


def remote(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WHERE [KEY=VALUE]...", show_default=False)
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="URL", help="An S3 service that is not Amazon's."),
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="The bucket's region.")] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Set where versions are pushed to: a folder, or s3://BUCKET/PREFIX."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.versioning.remote import set_remote

        result = set_remote(s.config, only_word(names, "WHERE"), endpoint, region)
        at = f" at {result.endpoint}" if result.endpoint else ""
        s.output.result(result, [f"Versions are pushed to {result.url}{at}; staged: .dvc/config"])
        s.output.next("git commit", s.command("data push"))


def push(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Send the present version to the remote; goes on where an earlier push was cut off."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.versioning.transfer import push as run

        result = run(s.config, s.progress)
        how = f"Pushed {result.files:,} files" if result.files else "Everything is there already"
        s.output.result(result, [f"{how}: version {result.version} in {result.remote}"])


def pull(
    overrides: Overrides = None,
    force: Force = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Bring the version that git names, each file checked, and put it in place."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.versioning.transfer import pull as run

        result = run(s.config, s.progress, force=force)
        how = f"Pulled {result.files:,} files" if result.files else "Everything was here already"
        origin = f" from {result.remote}" if result.files else ""
        s.output.result(result, [f"{how}: version {result.version}{origin}"])
        s.output.next(s.command("train"))


def status(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """What has changed since the last version, and what was not pushed."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.versioning.status import status as run

        result = run(s.config, s.progress)
        s.output.result(result, _status_lines(result))
        step = next_step(result)
        if step:
            s.output.next(s.command(step))


def checkout(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="RUN [KEY=VALUE]...", show_default=False)
    ] = None,
    force: Force = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Restore the data that a run was trained on: a run id, `latest`, or a run folder."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.versioning.checkout import checkout as run

        result = run(s.config, only_word(names, "RUN"), s.progress, force=force)
        lines = [
            f"Version {_name(result.raw)} of run {result.run_id} is in place; {result.fetched:,} "
            "files came from the remote"
        ]
        if not result.packed:
            lines.append("The run's set was prepared with other settings than the version's")
        s.output.result(result, lines)
        known = f" --config {shlex.quote(f'{result.folder}/config.yaml')}" if result.folder else ""
        s.output.next(s.command(f"data prepare{known}"))


def check_params(
    overrides: Overrides = None, config: ConfigFile = None, debug: Debug = False
) -> None:
    """For the stages of dvc.yaml: fail where params.yaml is not what decides."""
    with session(overrides or [], config, False, debug) as s:
        from skincli.versioning.agreement import require_agreement

        require_agreement(s.config, Path.cwd())


def _version_lines(result: "VersionResult") -> Iterator[str]:
    size = sum(part.size for part in result.raw)
    how = "Version" if result.changed else "Unchanged: version"
    yield f"{how} {_name(result.raw)}: {result.n_images:,} images, {size / 1e6:,.1f} MB"
    if result.commit:
        yield f"Committed as {result.commit[:12]}"
    elif result.staged:
        yield f"Staged for the next commit: {shlex.join(result.staged)}"


def _status_lines(found: "DataStatus") -> Iterator[str]:
    if not found.raw:
        yield "No version yet"
        return
    yield f"Version {_name(found.raw)}"
    yield from _listed("Added since", found.added)
    yield from _listed("Modified since", found.modified)
    yield from _listed("Not here", found.deleted)
    if found.unchanged:
        yield "The data are as in it"
    yield from _listed("Not committed", found.uncommitted)
    if found.remote is None:
        yield "No remote is set, or it cannot be looked at"
    else:
        yield from _listed(f"Not in {found.remote}", found.unpushed or ())
        if not found.unpushed:
            yield f"All of it is in {found.remote}"
    yield from _listed("params.yaml differs from the settings in", found.settings)


def next_step(found: "DataStatus") -> str | None:
    if found.deleted and not (found.added or found.modified):
        # A pull would not bring back unasked what may have been removed on purpose.
        return "data pull --force" if found.pulled else "data pull"
    if not found.raw or found.added or found.modified or found.settings:
        return "data version"
    return "data push" if found.unpushed else None


def _listed(what: str, names: "Sequence[str]") -> Iterator[str]:
    if names:
        more = f", … ({len(names):,} in all)" if len(names) > _SHOWN else ""
        yield f"{what}: {', '.join(names[:_SHOWN])}{more}"


def _name(raw: "Sequence[Pinned]") -> str:
    return "+".join(part.md5.removesuffix(".dir") for part in raw)
