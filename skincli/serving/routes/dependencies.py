"""What the routes are handed. These do not wait, and are `async` so that no thread is used."""

from typing import Annotated

from fastapi import Depends, Request

from skincli.serving.guards.limits import Client
from skincli.serving.service import Service


async def _service(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


async def _client(request: Request) -> Client:
    client = request.state.client
    assert isinstance(client, Client)
    return client


Caller = Annotated[Client, Depends(_client)]
TheService = Annotated[Service, Depends(_service)]
