"""The settings of the promotion gate: what a model must show before it is served."""

from dataclasses import dataclass

from skincli.config.fields import opt, require


@dataclass(kw_only=True, slots=True)
class PromotionConfig:
    """Shares are between 0 and 1, measured on the test part."""

    margin: float = opt(
        0.03, "balanced accuracy that may at worst be lost to the champion, with 95 % confidence"
    )
    melanoma_sensitivity: float = opt(
        0.85, "least share of melanomas that the operating point must catch"
    )
    max_ece: float = opt(0.1, "largest expected calibration error")
    subgroup_sensitivity: float = opt(
        0.7, "least share of malignant images caught in every subgroup of the evaluation"
    )
    subgroup_size: int = opt(20, "malignant images that a subgroup must have to be judged")
    automatic: bool = opt(
        False, "`promote --unattended` may make a model that meets the gate the champion"
    )

    def __post_init__(self) -> None:
        for name in ("margin", "melanoma_sensitivity", "max_ece", "subgroup_sensitivity"):
            require(0 <= getattr(self, name) <= 1, f"promotion.{name}", "between 0 and 1")
        require(self.subgroup_size >= 1, "promotion.subgroup_size", "at least 1")
