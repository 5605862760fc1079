"""What the routes are handed."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from skincli.serving.errors import Problem
from skincli.serving.model import ServedModel


def _served_model(request: Request) -> ServedModel:
    model = request.app.state.model
    if model is None:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the model is not loaded", "not_ready")
    assert isinstance(model, ServedModel)
    return model


Model = Annotated[ServedModel, Depends(_served_model)]
