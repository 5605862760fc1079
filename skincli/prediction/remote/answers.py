"""A server's answers, of which nothing is believed that was not checked."""

import base64
from typing import Annotated, Final, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skincli.errors import ImageError, SkincliError
from skincli.imaging import Limits, Pixels, decode
from skincli.inference.reasons import Reason
from skincli.taxonomy import ClassInfo

_PNG: Final = "data:image/png;base64,"
_PICTURE: Final = Limits(max_bytes=8_000_000, max_pixels=4_000_000)
_Checked = TypeVar("_Checked", bound=BaseModel)
_Text = Annotated[str, Field(max_length=300)]
_Share = Annotated[float, Field(ge=0, le=1)]


class UnusableAnswer(SkincliError):
    """The server answers something else than what was asked for."""


class _Answer(BaseModel):
    """Fields of a later version are passed over; a number is a number, and finite."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class RemoteClass(_Answer):
    code: _Text
    name: _Text
    malignant: bool


class RemoteModel(_Answer):
    """What is used of `GET /v1/model`."""

    name: _Text
    version: _Text | None
    digest: _Text
    classes: Annotated[tuple[RemoteClass, ...], Field(min_length=2, max_length=1000)]
    operating_point: float
    synthetic: bool

    @property
    def class_infos(self) -> tuple[ClassInfo, ...]:
        return tuple(ClassInfo(c.code, c.name, c.malignant) for c in self.classes)


class RemoteDiagnosis(_Answer):
    code: _Text
    name: _Text


class RemotePrediction(_Answer):
    diagnosis: RemoteDiagnosis
    probabilities: dict[_Text, _Share]
    # A sum of float32, which may pass 1 by its rounding.
    malignant_probability: Annotated[float, Field(ge=0, le=1.001)]
    malignant: bool
    conformal_set: tuple[_Text, ...]
    novelty: float
    out_of_distribution: bool
    abstain_reason: Reason | None = None
    heatmap: str | None = None


class _ModelName(_Answer):
    digest: _Text


class RemoteAnswer(_Answer):
    """What is used of the answer to one image at `POST /v1/predict`."""

    model: _ModelName
    predictions: tuple[RemotePrediction]

    @property
    def prediction(self) -> RemotePrediction:
        return self.predictions[0]


class RemoteProblem(BaseModel):
    """A refusal (RFC 9457)."""

    detail: Annotated[str, Field(max_length=1000)] = ""
    reason: Annotated[str, Field(max_length=100)] = ""


def checked(kind: type[_Checked], body: bytes) -> _Checked:
    """An answer of that kind. Raises UnusableAnswer, which says what is wrong with it."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise UnusableAnswer(
            f"the server's answer cannot be used: {what}",
            "give the address of `skincli serve`, of the version of this `skincli`",
        ) from None


def problem_of(body: bytes) -> RemoteProblem:
    """The refusal, or an empty one where a proxy or another server wrote it."""
    try:
        return RemoteProblem.model_validate_json(body)
    except ValidationError:
        return RemoteProblem()


def require_classes(prediction: RemotePrediction, model: RemoteModel) -> None:
    """Raises UnusableAnswer for a prediction about other classes than its model has."""
    codes = [info.code for info in model.classes]
    named = {prediction.diagnosis.code, *prediction.conformal_set}
    if list(prediction.probabilities) != codes or not named <= set(codes):
        raise UnusableAnswer("the server's answer cannot be used: it names other classes")


def drawn_of(prediction: RemotePrediction) -> Pixels:
    """The picture of the heat map, uint8 `[H, W, 3]`. Raises UnusableAnswer where it is none."""
    told = prediction.heatmap or ""
    try:
        if not told.startswith(_PNG):
            raise ValueError("it is no PNG")
        data = base64.b64decode(told[len(_PNG) :], validate=True)
        return np.asarray(decode(data, _PICTURE))
    except (ValueError, ImageError) as error:  # binascii's error is a ValueError
        raise UnusableAnswer(f"the server's heat map cannot be used: {error}") from None
