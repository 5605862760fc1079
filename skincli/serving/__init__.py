"""A bundle behind HTTP. The only room that imports FastAPI, Starlette and uvicorn."""

from skincli.serving.app import create_app

__all__ = ["create_app"]
