"""Moving the champion alias on evidence: measured on the current test split, or not at all."""

from dataclasses import dataclass
from typing import Any

from skincli.config.schema import Config
from skincli.data import prepare
from skincli.errors import GateError, ModelError, UsageError
from skincli.evaluation.evaluate import as_the_model_sees
from skincli.inference.selftest import checked_classifier
from skincli.progress import Progress
from skincli.tracking.evaluations import find_evaluation
from skincli.tracking.registry import (
    ModelVersion,
    current_version,
    history,
    list_versions,
    move_alias,
    new_change,
    register,
)
from skincli.tracking.resolve import ResolvedModel, resolve

# The figures that a version carries in the registry, from its evaluation's metrics.
_SHOWN = ("balanced_accuracy", "macro_auroc", "melanoma_sensitivity", "malignant_auroc")


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One line of the checklist: what is asked, what was found, and whether that is enough."""

    name: str
    ok: bool
    found: str


@dataclass(frozen=True, slots=True)
class PromoteResult:
    """`before` is the version that the alias pointed to, None for a first promotion."""

    name: str
    alias: str
    version: str
    before: str | None
    checks: tuple[GateCheck, ...]
    forced: bool
    synthetic: bool


@dataclass(frozen=True, slots=True)
class RollbackResult:
    name: str
    alias: str
    version: str
    before: str


def promote(
    config: Config, model: str, progress: Progress, force: bool = False, reason: str | None = None
) -> PromoteResult:
    """Register `model` if needed and move `registry.alias` to it.

    Raises GateError, and changes nothing, when the bundle fails its self-test, has no evaluation
    on the current test split, or is worse there than the champion on balanced accuracy. `force`
    overrides the last two and is recorded with its `reason`.
    """
    if force and not (reason or "").strip():
        raise UsageError("`--force` needs a reason", "add `--reason TEXT`: it is recorded")
    candidate = resolve(config, model)
    _require_sound_split(candidate)
    checked_classifier(candidate.bundle)
    seen = as_the_model_sees(config, candidate.bundle)
    key = prepare(seen, progress).prepared.manifest.test_fingerprint[:12]
    evaluation = _evaluation(config, candidate.run_id, candidate.bundle.digest, key)
    champion = current_version(config)
    checks = _checks(config, candidate, evaluation, champion, key)
    failed = [check for check in checks if not check.ok]
    if failed and not force:
        raise GateError(
            "not promoted: " + "; ".join(f"{check.name}: {check.found}" for check in failed),
            f"`skincli evaluate {model}` measures it; `--force --reason TEXT` overrides",
        )
    version = register(config, model, candidate.bundle, candidate.run_id)
    before = champion.version if champion else None
    change = new_change(config, "promote", before, version, reason=reason, forced=bool(failed))
    metrics = {k: v for k in _SHOWN if (v := (evaluation or {}).get(k)) is not None}
    move_alias(config, change, metrics)
    return PromoteResult(
        name=config.registry.name,
        alias=config.registry.alias,
        version=version,
        before=before,
        checks=tuple(checks),
        forced=bool(failed),
        synthetic=candidate.bundle.spec.lineage.synthetic,
    )


def _require_sound_split(candidate: ResolvedModel) -> None:
    """A model that may have seen its test images is for reproducing tables, whoever forces it."""
    lineage = candidate.bundle.spec.lineage
    if lineage.split == "official":
        why = "; ".join(lineage.data_warnings)
        raise GateError(
            f"not promoted: it was trained on an official split that may leak ({why})",
            "train on lesion-disjoint data, such as `data=ham10000`",
        )


def rollback(config: Config, version: str | None = None) -> RollbackResult:
    """Move the alias back to `version`, or to the one before the present.

    Raises ModelError; GateError for a version that never was where the alias points.
    """
    current = current_version(config)
    if current is None:
        raise ModelError(
            f"`{config.registry.name}` has no {config.registry.alias}", "promote a model first"
        )
    target = version or _previous(config, current.version)
    if target == current.version:
        raise ModelError(f"version {target} is the {config.registry.alias} already")
    found = next((v for v in list_versions(config) if v.version == target), None)
    if found is None:
        raise ModelError(
            f"`{config.registry.name}` has no version {target}", "`skincli models list` shows them"
        )
    if target not in {v for c in history(config) for v in (c.before, c.after)}:
        raise GateError(
            f"version {target} was never {config.registry.alias}",
            "`skincli promote` checks it first",
        )
    checked_classifier(resolve(config, f"models:/{config.registry.name}/{target}").bundle)
    move_alias(config, new_change(config, "rollback", current.version, target))
    return RollbackResult(config.registry.name, config.registry.alias, target, current.version)


def _evaluation(
    config: Config, run_id: str | None, digest: str | None, key: str
) -> dict[str, Any] | None:
    found = find_evaluation(config, run_id, digest, key) if digest else None
    if found is None or found["part"] != "test":
        return None
    metrics: dict[str, Any] = found["metrics"]
    return metrics


def _checks(
    config: Config,
    candidate: ResolvedModel,
    evaluation: dict[str, Any] | None,
    champion: ModelVersion | None,
    key: str,
) -> list[GateCheck]:
    if evaluation is None:
        return [GateCheck("evaluated on the current test split", False, f"none on split {key}")]
    value = float(evaluation["balanced_accuracy"])
    evaluated = GateCheck("evaluated on the current test split", True, f"split {key}")
    name = "balanced accuracy not below the champion's"
    if champion is None:
        return [evaluated, GateCheck(name, True, f"{value:.3f}, the first champion")]
    if champion.digest == candidate.bundle.digest:
        return [evaluated, GateCheck(name, True, f"{value:.3f}, it is the champion")]
    theirs = _evaluation(config, champion.run_id, champion.digest, key)
    if theirs is None:
        found = f"the champion, version {champion.version}, was not evaluated on split {key}"
        return [evaluated, GateCheck(name, False, found)]
    if set(theirs["per_class"]) != set(evaluation["per_class"]):
        found = f"the champion, version {champion.version}, was trained for another task"
        return [evaluated, GateCheck(name, False, found)]
    other = float(theirs["balanced_accuracy"])
    found = f"{value:.3f} against {other:.3f} of version {champion.version}"
    return [evaluated, GateCheck(name, value >= other, found)]


def _previous(config: Config, current: str) -> str:
    """Replay the alias's moves as a stack: a rollback undoes, so a second one goes further back."""
    stack: list[str] = []
    for change in history(config):
        if change.action == "rollback" and change.after in stack:
            del stack[stack.index(change.after) + 1 :]
        elif not stack or stack[-1] != change.after:
            stack.append(change.after)
    if current in stack:
        del stack[len(stack) - 1 - stack[::-1].index(current) :]
    if not stack:
        raise ModelError(
            f"no earlier {config.registry.alias} is recorded", "name it: `skincli rollback VERSION`"
        )
    return stack[-1]
