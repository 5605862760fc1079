"""The two kinds of line in the journal, and the tables that hold them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
)

_METADATA: Final = MetaData()

predictions: Final = Table(
    "predictions",
    _METADATA,
    Column("id", String(32), primary_key=True),
    Column("time", DateTime, nullable=False),
    Column("model_name", String, nullable=False),
    Column("model_version", String),
    Column("bundle_digest", String(64), nullable=False),
    Column("diagnosis", String, nullable=False),
    Column("probabilities", JSON, nullable=False),
    Column("malignant_probability", Float, nullable=False),
    Column("malignant", Boolean, nullable=False),
    Column("conformal_set", JSON, nullable=False),
    Column("novelty", Float, nullable=False),
    Column("abstain_reason", String),
    Column("brightness", Float, nullable=False),
    Column("contrast", Float, nullable=False),
    Column("sharpness", Float, nullable=False),
    Column("perceptual_hash", String(16), nullable=False),
    Column("image", LargeBinary),
    Index("predictions_time", "time"),
)
feedback: Final = Table(
    "feedback",
    _METADATA,
    Column("prediction_id", String(32), primary_key=True),
    Column("time", DateTime, primary_key=True),
    Column("diagnosis", String, nullable=False),
)
create_tables: Final = _METADATA.create_all


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionEntry:
    """One answer. `time` is UTC without a zone; `brightness`, `contrast` and `sharpness` are those
    of the network's input, in grey levels; `image` is the file as it was sent, if it is kept."""

    id: str
    time: datetime
    model_name: str
    model_version: str | None
    bundle_digest: str
    diagnosis: str
    probabilities: dict[str, float]
    malignant_probability: float
    malignant: bool
    conformal_set: tuple[str, ...]
    novelty: float
    abstain_reason: str | None
    brightness: float
    contrast: float
    sharpness: float
    perceptual_hash: str
    image: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a prediction's lesion was found to be, by its diagnosis code."""

    prediction_id: str
    time: datetime
    diagnosis: str
