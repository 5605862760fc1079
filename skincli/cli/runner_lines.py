"""What `skincli runner-setup` prints for a person."""

from typing import TYPE_CHECKING

from skincli.cli.machine import check_lines

if TYPE_CHECKING:
    from skincli.runner.engine import RunnerStatus, Stopped
    from skincli.runner.github import Runner
    from skincli.runner.set_up import RunnerResult
    from skincli.runner.workflows import WorkflowsResult


def of_set_up(result: "RunnerResult", dry_run: bool) -> list[str]:
    lines = check_lines(result.checks)
    if dry_run and result.commands:
        lines += ["", "The commands that start it:", *result.commands]
    if result.runner is not None:
        lines += ["", f"Started {_described(result.runner)}"]
    return lines


def of_status(found: "RunnerStatus", name: str) -> list[str]:
    if found.container is None:
        lines = [f"There is no container `{name}`"]
    else:
        state = f"is {found.container.status}"
        if found.container.status == "exited":
            state = f"has ended with exit code {found.container.exit_code}"
        again = found.container.restarts
        restarts = f", started again {again} times by docker" if again else ""
        lines = [f"The container `{name}` {state}{restarts}"]
    lines += [f"Its supervisor: {found.doing}"] if found.doing else []
    if found.unknown:
        return [*lines, f"GitHub was not asked: {found.unknown}"]
    listed = [f"GitHub lists {_described(runner)}" for runner in found.runners]
    return [*lines, *(listed or ["GitHub lists no runner of it"])]


def of_stop(result: "Stopped", name: str) -> list[str]:
    lines = [f"Stopped `{name}`" if result.stopped else f"`{name}` did not run"]
    if result.unregistered:
        lines.append("GitHub lists its runner no more")
    elif result.unregistered is False:
        lines.append("GitHub still lists its runner")
    return [*lines, *([result.left] if result.left else [])]


def of_workflows(result: "WorkflowsResult") -> list[str]:
    lines = [f"{state}: {path}" for path, state in result.files.items()]
    if "kept" in result.files.values():
        lines.append("What is kept was changed here: `--force` writes over it")
    return lines


def _described(runner: "Runner") -> str:
    work = ", at work on a job" if runner.busy else ""
    return f"the runner {runner.name} ({runner.status}{work}), labels {', '.join(runner.labels)}"
