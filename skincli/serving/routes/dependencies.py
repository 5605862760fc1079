"""What the routes are handed."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from skincli.serving.errors import Problem
from skincli.serving.guards.limits import Client
from skincli.serving.journal import ServiceJournal
from skincli.serving.meters import ServiceMeters
from skincli.serving.model import ServedModel
from skincli.serving.served import Served
from skincli.serving.threads import InferenceThreads


def _served(request: Request) -> Served:
    served = request.app.state.served
    assert isinstance(served, Served)
    return served


def _served_model(request: Request) -> ServedModel:
    model = _served(request).model
    if model is None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the model is not loaded",
            "not_ready",
            retry_after=1,
        )
    return model


def _threads(request: Request) -> InferenceThreads:
    threads = request.app.state.threads
    assert isinstance(threads, InferenceThreads)
    return threads


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
NowServed = Annotated[Served, Depends(_served)]
Threads = Annotated[InferenceThreads, Depends(_threads)]
