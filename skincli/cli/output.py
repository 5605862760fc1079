"""The one place that prints: data on stdout, everything else on stderr."""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from skincli.cli.text import printable
from skincli.progress import Progress, Silent

_PIPED_WIDTH = 160
_NUMBER = re.compile(r"[\d.,–]*")


def to_data(value: Any) -> Any:
    """Results as JSON-able data: dataclasses by field, paths as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_data(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(key): to_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_data(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _as_json(data: Any) -> str:
    return json.dumps(to_data(data), indent=1, allow_nan=False) + "\n"


class _Warnings(Silent):
    """With `--json`, a line of JSON on stderr for each warning: nothing else tells of it."""

    def warn(self, message: str) -> None:
        sys.stderr.write(json.dumps({"warning": message}) + "\n")


class Output:
    """Prints for a person, or with `as_json` for a program."""

    def __init__(self, as_json: bool) -> None:
        from rich.console import Console

        self.as_json = as_json
        # In a pipe or file, tables keep their width instead of folding at 80 columns.
        piped = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
        self._out = Console(highlight=False, soft_wrap=True, emoji=False, width=piped)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

    def progress(self) -> Progress:
        if self.as_json:
            return _Warnings()
        from skincli.cli.progress import PlainProgress, RichProgress

        drawable = self._err.is_terminal and not self._err.is_dumb_terminal
        return RichProgress(self._err) if drawable else PlainProgress(self._err)

    def result(self, data: Any, lines: Iterable[str] = ()) -> None:
        """The result of a command: `data` with `--json`, else `lines`."""
        if self.as_json:
            sys.stdout.write(_as_json(data))
            return
        for line in lines:
            self._out.print(printable(line), markup=False)

    def keep(self, file: Path | None, data: Any) -> None:
        """Write `data` as JSON into `file` in one step, if there is to be one."""
        if file is not None:
            partial = file.with_name(f"{file.name}.partial")
            partial.write_text(_as_json(data), encoding="utf-8")
            partial.replace(file)

    def drawing(self, lines: Iterable[str]) -> None:
        """Lines that carry the terminal's own codes, which `result` would take out."""
        sys.stdout.writelines(f"{line}\n" for line in lines)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
        if self.as_json:
            return
        from rich.markup import escape
        from rich.table import Table

        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
        body = [list(row) for row in rows]
        for index, column in enumerate(columns):
            numbers = all(_NUMBER.fullmatch(row[index]) for row in body)
            table.add_column(column, justify="right" if numbers else "left", overflow="fold")
        for row in body:
            table.add_row(*(escape(printable(cell)) for cell in row))
        self._out.print(table)

    def next(self, *commands: str) -> None:
        """What to type next, as hints on stderr."""
        if not self.as_json:
            for command in commands:
                self._err.print(f"→ {command}", style="dim", markup=False)

    def error(self, message: str, hint: str, exit_code: int) -> None:
        if self.as_json:
            content = {"error": message, "hint": hint, "exit_code": exit_code}
            sys.stderr.write(json.dumps(content) + "\n")
            return
        self._err.print("error:", style="bold red", end=" ")
        self._err.print(printable(message), markup=False)
        if hint:
            self._err.print(printable(f"hint: {hint}"), style="dim", markup=False)
