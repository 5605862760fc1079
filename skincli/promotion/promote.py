"""The verb `promote`: the champion's alias moves on evidence, or not at all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.promotion.evidence import gather
from skincli.promotion.gate import Verdict, judge
from skincli.tracking.history import Action
from skincli.tracking.registry import (
    CHALLENGER,
    ModelVersion,
    move_alias,
    new_change,
    read_registry,
    register,
)
from skincli.tracking.resolve import resolve

Target = Literal["champion", "challenger"]

# The figures that a version carries in the registry, from its evaluation's metrics.
_SHOWN: Final = ("balanced_accuracy", "macro_auroc", "melanoma_sensitivity", "malignant_auroc")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteResult:
    """The verdict and what followed from it.

    `promoted` is whether `alias` moved, or with `dry_run` would have; `forced` that it did
    although the gate was not met. `version` is None for a model that a dry run left unregistered,
    `before` the version that `registry.alias` pointed to, None for a first promotion.
    `left` is whether a dry run was made of it because `promotion.automatic` leaves it to a person,
    `held` because it was to be challenger and is the champion already.
    """

    name: str
    alias: str
    version: str | None
    before: str | None
    verdict: Verdict
    promoted: bool
    forced: bool
    dry_run: bool
    left: bool
    held: bool
    synthetic: bool


def promote(
    config: Config,
    model: str,
    progress: Progress,
    *,
    to: Target = "champion",
    unattended: bool = False,
    dry_run: bool = False,
    force: bool = False,
    reason: str | None = None,
) -> PromoteResult:
    """Hold a model against the policy `promotion.*`; if it is met, point `registry.alias` at it.

    A model that the gate keeps out is registered all the same, as challenger; with
    `to="challenger"` it is that whatever the verdict, which is recorded. `force` overrides the
    verdict and is recorded with its `reason`; `dry_run` registers and moves nothing, and nor does
    `unattended` unless `promotion.automatic` allows it.

    Raises GateError when the model may have seen its test images, fails its self-test or was not
    measured on the current test part; SkincliError when another promotion came first.
    """
    _require_sense(to, force, reason, unattended)
    left = unattended and not config.promotion.automatic
    candidate = resolve(config, model)
    registry = read_registry(config)
    champion = registry.current(config.registry.alias)
    held = to == CHALLENGER and _is(champion, candidate.bundle.digest)
    dry_run = dry_run or left or held
    evidence = gather(config, candidate, champion, progress)
    verdict = judge(config.promotion, evidence)
    version, action = candidate.version, _action(to, verdict.met or force)
    forced = action == "promote" and not verdict.met
    if not dry_run:
        version = register(config, candidate.name, candidate.bundle, candidate.run_id)
        facts = {"reason": reason, "forced": forced, "evidence": asdict(verdict)}
        change = new_change(config, registry, action, version, **facts)
        move_alias(config, change, _shown(evidence.metrics))
    return PromoteResult(
        name=config.registry.name,
        alias=CHALLENGER if to == CHALLENGER else config.registry.alias,
        version=version,
        before=champion.version if champion else None,
        verdict=verdict,
        promoted=action != "refuse",
        forced=forced,
        dry_run=dry_run,
        left=left,
        held=held,
        synthetic=candidate.bundle.spec.lineage.synthetic,
    )


def _require_sense(to: Target, force: bool, reason: str | None, unattended: bool) -> None:
    if unattended and (force or to == CHALLENGER):
        raise UsageError("`--unattended` goes with neither `--force` nor `--to challenger`")
    if force and not (reason or "").strip():
        raise UsageError("`--force` needs a reason", "add `--reason TEXT`: it is recorded")
    if force and to == CHALLENGER:
        raise UsageError(
            "`--force` has no meaning with `--to challenger`", "no gate keeps a model from that"
        )


def _is(champion: ModelVersion | None, digest: str) -> bool:
    return champion is not None and champion.digest == digest


def _action(to: Target, through: bool) -> Action:
    if to == CHALLENGER:
        return "challenge"
    return "promote" if through else "refuse"


def _shown(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name in _SHOWN if (value := metrics[name]) is not None}
