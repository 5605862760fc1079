"""`skincli data version | push | pull | status | checkout | remote`."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands of data versions to `skincli data`."""
