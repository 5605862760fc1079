"""What the server answers, as OpenAPI shows it."""

from typing import Any, Final

from pydantic import BaseModel, Field

from skincli.bundle import Precision
from skincli.inference.reasons import Reason
from skincli.taxonomy import Task

NOTICE: Final = (
    "This is not a medical device: the answer is for research and education and is no diagnosis. "
    "A physician decides"
)


class ModelName(BaseModel):
    """Which model answered. `digest` is the SHA-256 that stands for the whole bundle."""

    name: str = Field(description="name in the registry, else the name of its training run")
    version: str | None = Field(description="version in the registry, if it came from there")
    digest: str


class Diagnosis(BaseModel):
    code: str
    name: str


class Timings(BaseModel):
    """Milliseconds that the image waited, to the network's input, and in the network."""

    queue_ms: float
    decode_ms: float
    network_ms: float


class Prediction(BaseModel):
    """What the model says of one image."""

    id: str = Field(description="under which `/v1/feedback` takes what the lesion was found to be")
    filename: str
    diagnosis: Diagnosis = Field(description="the class of the largest weighted probability")
    probabilities: dict[str, float] = Field(description="calibrated, by class code; they sum to 1")
    malignant_probability: float = Field(description="sum over the malignant classes")
    malignant: bool = Field(description="malignant_probability reaches the operating point")
    conformal_set: list[str] = Field(description="codes of the diagnoses that may well be true")
    novelty: float = Field(description="distance from the training images; 1 is the limit")
    out_of_distribution: bool = Field(description="novelty is above 1")
    abstain: bool = Field(description="the model had better not answer: do not use the diagnosis")
    abstain_reason: Reason | None = None
    picture: str | None = Field(
        None, description="with the heat map: the region that the network saw, as a data URL (JPEG)"
    )
    heatmap: str | None = Field(
        None,
        description="where asked for: `picture` with the class activation map laid over it, "
        "as a data URL (PNG)",
    )
    timings: Timings


class PredictResponse(BaseModel):
    model: ModelName
    predictions: list[Prediction] = Field(description="one per image, in the order sent")
    notice: str = NOTICE


class FeedbackGiven(BaseModel):
    prediction_id: str = Field(pattern="^[0-9a-f]{32}$")
    diagnosis: str = Field(max_length=32, description="code of the confirmed diagnosis")


class FeedbackTaken(BaseModel):
    prediction_id: str
    status: str = "taken"


class ClassDescription(BaseModel):
    code: str
    name: str
    malignant: bool


class ModelDescription(ModelName):
    """What is served and where it comes from."""

    task: Task
    backbone: str
    precision: Precision = Field(description="of the network's arithmetic")
    provider: str = Field(description="what runs it here, in ONNX Runtime's words")
    classes: list[ClassDescription]
    image_size: int = Field(description="side in pixels of the square that the network sees")
    temperature: float = Field(description="divides the logits before the softmax")
    operating_point: float = Field(description="threshold on the malignant probability")
    target_sensitivity: float = Field(description="malignant sensitivity it was chosen for")
    synthetic: bool = Field(description="trained on drawn images: never a medical result")
    registry: str = Field(description="whether the registry is followed, and answers")
    metrics: dict[str, float] = Field(description="on the test part, by which it was promoted")
    lineage: dict[str, Any]
    notice: str = NOTICE


class EarlierAnswer(BaseModel):
    """The answer of `/model_inference`, kept for clients written against it."""

    result: str = Field(description="name of the diagnosis")
    certainty: float = Field(description="its probability")


class Health(BaseModel):
    status: str


class Readiness(Health):
    registry: str = Field(description="whether the registry is followed, and answers")


class ProblemDocument(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    reason: str | None = Field(None, description="a code for programs, where there is one")
