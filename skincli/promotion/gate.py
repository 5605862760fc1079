"""The verdict: the evidence held against the policy of the config. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from skincli.config.promotion import PromotionConfig
from skincli.promotion.evidence import Evidence


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One line of the checklist: what is asked, whether it is met, and what was found.

    `value` is the figure that was held against `limit`; both None where it is no figure.
    """

    name: str
    ok: bool
    found: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole checklist. `test_uses` counts the bundles that the test split ever measured."""

    checks: tuple[GateCheck, ...]
    test_split: str
    test_uses: int

    @property
    def met(self) -> bool:
        return all(check.ok for check in self.checks)


def judge(policy: PromotionConfig, evidence: Evidence) -> Verdict:
    """The first champion has no predecessor to be held against, only the floors."""
    metrics = evidence.metrics
    melanoma = metrics["melanoma_sensitivity_at_operating_point"]
    checks = (
        GateCheck("bundle self-test", True, f"bundle {evidence.digest[:12]} answers"),
        *_against_champion(policy, evidence),
        _check(
            "melanoma sensitivity at the operating point", melanoma, policy.melanoma_sensitivity
        ),
        _check("calibration error (ECE)", metrics["ece"], policy.max_ece, ceiling=True),
        _subgroups(policy, evidence),
    )
    return Verdict(checks, evidence.test_split, evidence.test_uses)


def _against_champion(policy: PromotionConfig, evidence: Evidence) -> list[GateCheck]:
    same = "measured on the same images as the champion"
    better = "balanced accuracy not worse than the champion's"
    value = evidence.metrics["balanced_accuracy"]
    split = f"test split {evidence.test_split}"
    if evidence.obstacle:
        return [GateCheck(same, False, evidence.obstacle)]
    if evidence.change is None:
        why = f"it is {evidence.champion}" if evidence.champion else "there is no champion yet"
        return [GateCheck(same, True, split), GateCheck(better, True, f"{value:.3f}; {why}")]
    low, limit = evidence.change.one_sided_low, -policy.margin
    found = (
        f"{value:.3f}, {evidence.change.value:+.3f} to {evidence.champion}; with 95 % confidence "
        f"{low:+.3f} or better, {limit:+.3f} allowed"
    )
    return [
        GateCheck(same, True, f"{split}, {evidence.champion} too"),
        GateCheck(better, low >= limit, found, low, limit),
    ]


def _subgroups(policy: PromotionConfig, evidence: Evidence) -> GateCheck:
    name = "malignant lesions caught in every subgroup"
    judged = [g for g in evidence.subgroups if g["n_malignant"] >= policy.subgroup_size]
    if not judged:
        found = f"none of {len(evidence.subgroups)} has {policy.subgroup_size} malignant images"
        return GateCheck(name, True, found)
    worst = min(judged, key=_sensitivity)
    check = _check(name, _sensitivity(worst), policy.subgroup_sensitivity)
    where = f"{worst['kind']} {worst['name']}, {worst['n_malignant']} images"
    found = f"{check.found} ({where}; {len(judged)} of {len(evidence.subgroups)} subgroups judged)"
    return replace(check, found=found)


def _sensitivity(subgroup: Mapping[str, Any]) -> float:
    return float(subgroup["figures"]["malignant_sensitivity"]["value"])


def _check(name: str, value: float | None, limit: float, ceiling: bool = False) -> GateCheck:
    if value is None:
        return GateCheck(name, False, "not defined: the test part has no such image", None, limit)
    ok = value <= limit if ceiling else value >= limit
    found = f"{value:.3f}, at {'most' if ceiling else 'least'} {limit:.3f}"
    return GateCheck(name, ok, found, value, limit)
