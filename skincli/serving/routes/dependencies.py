"""What the routes are handed."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from skincli.serving.errors import Problem
from skincli.serving.guards.limits import Client
from skincli.serving.journal import ServiceJournal
from skincli.serving.meters import ServiceMeters
from skincli.serving.model import ServedModel


def _served_model(request: Request) -> ServedModel:
    model = request.app.state.model
    if model is None:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the model is not loaded", "not_ready")
    assert isinstance(model, ServedModel)
    return model


def _journal(request: Request) -> ServiceJournal:
    journal = request.app.state.journal
    assert isinstance(journal, ServiceJournal)
    return journal


def _meters(request: Request) -> ServiceMeters:
    meters = request.app.state.meters
    assert isinstance(meters, ServiceMeters)
    return meters


def _client(request: Request) -> Client:
    client = request.state.client
    assert isinstance(client, Client)
    return client


Caller = Annotated[Client, Depends(_client)]
Journal = Annotated[ServiceJournal, Depends(_journal)]
Meters = Annotated[ServiceMeters, Depends(_meters)]
Model = Annotated[ServedModel, Depends(_served_model)]
