"""`skincli report`."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add `report` to the command tree."""
