"""What is searched: `optimizer.lr log 1e-4 1e-2`, read and checked before any work is done."""

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any, Final

from skincli.config.changing import with_values
from skincli.config.load import KEYS
from skincli.config.schema import Config
from skincli.errors import ConfigError

LAYER: Final = "tune.ranges"

_SECTIONS: Final = ("model.", "loss.", "optimizer.", "augment.", "train.")
_ALSO: Final = ("data.image_size", "data.crop", "data.batch_size")
TUNABLE: Final = tuple(k for k in KEYS if k.startswith(_SECTIONS) or k in _ALSO)

_FORMS: Final = "write `KEY LOW HIGH`, `KEY log LOW HIGH` or `KEY one of A B C`"


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `low` to `high`, both included; whole ones where both are of type int."""

    key: str
    low: float
    high: float
    log: bool

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values, as they would be typed on the command line."""

    key: str
    options: tuple[str, ...]

    @property
    def ends(self) -> tuple[str, ...]:
        return self.options


Range = Span | Choice


def read_ranges(config: Config) -> tuple[Range, ...]:
    """The ranges of `tune.ranges`. Raises ConfigError for one that is wrong or breaks a rule."""
    texts = config.tune.ranges
    if not texts:
        raise ConfigError(
            "nothing is named to be searched",
            "choose `tune=recipe`, or name ranges: 'tune.ranges=[optimizer.lr log 1e-4 1e-2]'",
        )
    ranges = tuple(_read(text) for text in texts)
    keys = [each.key for each in ranges]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ConfigError(f"tune.ranges names `{twice[0]}` twice", "keep one of its ranges")
    for _ in extremes(config, ranges):
        pass
    return ranges


def extremes(config: Config, ranges: tuple[Range, ...]) -> Iterator[Config]:
    """The config at every end of every range, then at all lower and all upper ends at once.

    Raises ConfigError where one breaks a rule of the schema.
    """
    for each in ranges:
        for end in each.ends:
            yield with_values(config, {each.key: end}, LAYER)
    for side in (0, -1):
        yield with_values(config, {each.key: each.ends[side] for each in ranges}, LAYER)


def _read(text: str) -> Range:
    key, *words = text.split() or [""]
    if key not in TUNABLE:
        raise _not_tunable(key)
    match words:
        case ["one", "of", *options] if len(set(options)) == len(options) > 1:
            return Choice(key, tuple(options))
        case ["log", low, high]:
            return _span(key, low, high, log=True)
        case [low, high]:
            return _span(key, low, high, log=False)
    raise ConfigError(f"tune.ranges: `{text}` is not a range", _FORMS)


def _not_tunable(key: str) -> ConfigError:
    if key in KEYS:
        return ConfigError(
            f"tune.ranges: `{key}` is nothing to search",
            f"{', '.join(section + '*' for section in _SECTIONS)} and {', '.join(_ALSO)} are: "
            "the others change where, how long or on what a trial is measured",
        )
    near = difflib.get_close_matches(key, TUNABLE, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else "`skincli config show` lists every key"
    return ConfigError(f"tune.ranges: unknown key `{key}`", hint)


def _span(key: str, low: str, high: str, *, log: bool) -> Span:
    kind = _type_of(key)
    if kind not in (int, float):
        raise ConfigError(f"tune.ranges: `{key}` is no number", f"write `{key} one of A B C`")
    try:
        span = Span(key, kind(low), kind(high), log)
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise ConfigError(f"tune.ranges: `{key}` needs {what}, not {low} {high}", _FORMS) from None
    if not (math.isfinite(span.low) and math.isfinite(span.high) and span.low < span.high):
        raise ConfigError(f"tune.ranges: `{key}` must go from low to high, not {low} {high}")
    if log and span.low <= 0:
        raise ConfigError(f"tune.ranges: `{key}` cannot go down to {low} on a log scale")
    return span


def _type_of(key: str) -> Any:
    *sections, name = key.split(".")
    owner = reduce(getattr, sections, Config())
    return next(item.type for item in fields(owner) if item.name == name)
