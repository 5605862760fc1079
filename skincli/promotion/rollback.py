"""The verb `rollback`: the alias back on a version that it was on before."""

from collections.abc import Sequence
from dataclasses import dataclass

from skincli.config.schema import Config
from skincli.errors import GateError, ModelError
from skincli.inference.selftest import checked_classifier
from skincli.tracking.history import Change
from skincli.tracking.registry import Registry, move_alias, new_change, read_registry
from skincli.tracking.resolve import resolve


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """The alias is on `version`, and was on `before`."""

    name: str
    alias: str
    version: str
    before: str


def rollback(config: Config, version: str | None = None) -> RollbackResult:
    """Move the alias back to `version`, or to the one before the present.

    Raises ModelError; GateError for a version that never was where the alias points.
    """
    name, alias = config.registry.name, config.registry.alias
    registry = read_registry(config)
    current = registry.current(alias)
    if current is None:
        raise ModelError(f"`{name}` has no {alias}", "promote a model first")
    moves = [entry.change for entry in registry.history if entry.change.alias == alias]
    target = version or _previous(moves, alias, current.version)
    if target == current.version:
        raise ModelError(f"version {target} is the {alias} already")
    _require_former(registry, moves, name, alias, target)
    checked_classifier(resolve(config, f"models:/{name}/{target}").bundle)
    move_alias(config, new_change(config, registry, "rollback", target), {})
    return RollbackResult(name, alias, target, current.version)


def _require_former(
    registry: Registry, moves: Sequence[Change], name: str, alias: str, target: str
) -> None:
    if registry.version(target) is None:
        raise ModelError(f"`{name}` has no version {target}", "`skincli models list` shows them")
    if target not in {v for move in moves for v in (move.before, move.after)}:
        raise GateError(
            f"version {target} was never {alias}", f"`skincli promote models:/{name}/{target}`"
        )


def _previous(moves: Sequence[Change], alias: str, current: str) -> str:
    """Replay the moves as a stack: a rollback undoes, so a second one goes further back."""
    stack: list[str] = []
    for move in moves:
        if move.action == "rollback" and move.after in stack:
            del stack[stack.index(move.after) + 1 :]
        elif not stack or stack[-1] != move.after:
            stack.append(move.after)
    if current in stack:
        del stack[len(stack) - 1 - stack[::-1].index(current) :]
    if not stack:
        raise ModelError(f"no earlier {alias} is recorded", "name it: `skincli rollback VERSION`")
    return stack[-1]
