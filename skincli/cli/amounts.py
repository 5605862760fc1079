"""Amounts, speeds and times as words of a progress line."""

from skincli.progress import Unit

_RATE = "_per_second"


def described(facts: dict[str, str]) -> str:
    """Facts that are known, side by side; a rate reads as one: `812 images/s`."""
    known = {name: value for name, value in facts.items() if value}
    return "  ".join(_fact(name, value) for name, value in known.items())


def how_much(done: float, total: float, unit: Unit) -> str:
    if not unit:
        return f"{done:,.0f}/{total:,.0f}" if total else f"{done:,.0f}"
    name, scale = ("MB", 1e6) if max(done, total) >= 1e6 else ("kB", 1e3)
    return f"{done / scale:,.1f}{f'/{total / scale:,.1f}' if total else ''} {name}"


def rate(per_second: float) -> str:
    """Bytes per second."""
    return f"{per_second / 1e6:,.2f} MB/s"


def left(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s left"
    minutes = seconds / 60
    return f"{minutes:.0f} min left" if minutes < 120 else f"{minutes / 60:.1f} h left"


def _fact(name: str, value: str) -> str:
    if name.endswith(_RATE):
        return f"{value} {name.removesuffix(_RATE).replace('_', ' ')}/s"
    return f"{name.replace('_', ' ')} {value}"
