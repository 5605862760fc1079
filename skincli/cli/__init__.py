"""The command line, and the only room that imports typer and rich: parse, call one verb, show."""

from skincli.cli.app import main

__all__ = ["main"]
