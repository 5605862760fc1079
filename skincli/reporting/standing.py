"""The gate's verdict as `skincli promote --dry-run` finds it, and what follows from it."""

import shlex

from skincli.config.schema import Config
from skincli.errors import GateError
from skincli.progress import Progress
from skincli.promotion.evidence import Evidence, gather
from skincli.promotion.gate import GateCheck, Verdict, judge
from skincli.reporting.facts import Standing
from skincli.tracking.evaluations import count_evaluated
from skincli.tracking.registry import CHALLENGER, ModelVersion
from skincli.tracking.resolve import ResolvedModel

_REFUSED = "not promoted: "


def weigh(
    config: Config,
    candidate: ResolvedModel,
    champion: ModelVersion | None,
    key: str,
    progress: Progress,
) -> Standing:
    """Hold a model that was measured on the test part `key` against the policy and the champion,
    who is measured there first where he never was. Moves and registers nothing."""
    try:
        evidence = gather(config, candidate, champion, progress)
    except GateError as error:
        return _never(config, champion, key, error.message.removeprefix(_REFUSED))
    verdict = judge(config.promotion, evidence)
    follows, command = _what_follows(config, candidate, evidence, verdict)
    return Standing(
        verdict=verdict,
        champion=evidence.champion,
        alone=_why_alone(evidence),
        follows=follows,
        command=command,
    )


def _never(config: Config, champion: ModelVersion | None, key: str, reason: str) -> Standing:
    """That of a model which no figure could make champion."""
    check = GateCheck("fit to be judged", False, reason)
    return Standing(
        verdict=Verdict((check,), key, count_evaluated(config, key)),
        champion=f"version {champion.version}" if champion else None,
        alone="it is not fit to be judged",
        follows="it is never promoted",
        command="",
    )


def _why_alone(evidence: Evidence) -> str:
    if evidence.change is not None:
        return ""
    if evidence.champion is None:
        return "there is no champion yet"
    return evidence.obstacle or f"it is the champion, {evidence.champion}"


def _what_follows(
    config: Config, candidate: ResolvedModel, evidence: Evidence, verdict: Verdict
) -> tuple[str, str]:
    """In words, and as a command for whoever decides."""
    alias = config.registry.alias
    if evidence.champion and evidence.change is None and not evidence.obstacle:
        return f"it is {alias} already, {evidence.champion}", ""
    if not verdict.met:
        return f"it becomes {CHALLENGER}, {alias} stays as it is", ""
    if config.promotion.automatic:
        return f"it becomes {alias}", ""
    return f"it becomes {alias} by hand", f"skincli promote {shlex.quote(candidate.name)}"
