"""The settings of `skincli tune`: what is searched, by which figure, and where it is kept."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from skincli.config.fields import opt, require

# No loss: it is weighted by what may be searched, so that one trial's is not another's. And no
# figure of the test part, ever.
TuneMetric = Literal["validation_macro_auroc", "validation_balanced_accuracy"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(kw_only=True, slots=True)
class TuneConfig:
    study: str = opt("tuned", "name of the search, and of the experiment that it writes")
    trials: int = opt(20, "trials in all, those of earlier starts of the study included")
    metric: TuneMetric = opt("validation_macro_auroc", "figure of an epoch that is to be high")
    ranges: list[str] = field(
        default_factory=list,
        metadata={"help": "what to search: KEY LOW HIGH, KEY log LOW HIGH, or KEY one of A B C"},
    )
    storage: str = opt("sqlite:///tune.db", "Optuna's store of studies: sqlite:///FILE")
    output: str | None = opt(
        None, "YAML of the best trial; default: configs/experiment/STUDY.yaml in this folder"
    )

    def __post_init__(self) -> None:
        named = _NAME.fullmatch(self.study) is not None
        require(named, "tune.study", "letters, digits, - and _, for it names a file")
        require(self.trials >= 1, "tune.trials", "at least 1")
        require(self.storage.startswith("sqlite:///"), "tune.storage", "sqlite:///FILE")
        output = self.output is None or self.output.endswith(".yaml")
        require(output, "tune.output", "a file that ends in .yaml")

    @property
    def file(self) -> Path:
        """The SQLite file of `storage`, absolute."""
        return Path(self.storage.removeprefix("sqlite:///")).absolute()
