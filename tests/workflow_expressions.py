"""The expressions of GitHub's workflows that ours use; any other is refused.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>==|!=|&&|\|\||[!()]))"
)
_STATUS = {"always": lambda ok: True, "success": lambda ok: ok, "failure": lambda ok: not ok}


def fill_in(text: str, contexts: Mapping[str, Any]) -> str:
    """`text` with the value of each `${{ … }}` in its place."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _shown(_value(found[1], contexts, True)), text)


def holds(condition: str | None, contexts: Mapping[str, Any], ok: bool) -> bool:
    """Whether a job or step with this `if` runs, where all before it went well or not."""
    if condition is None:
        return ok
    text = condition.strip().removeprefix("${{").removesuffix("}}")
    if not ok and not any(f"{name}()" in text for name in _STATUS):
        return False
    return bool(_value(text, contexts, ok))


def _shown(value: Any) -> str:
    return (
        {True: "true", False: "false", None: ""}.get(value, value)
        if not isinstance(value, str)
        else value
    )


def _value(text: str, contexts: Mapping[str, Any], ok: bool) -> Any:
    tokens = _tokens(text)
    value = _either(tokens, contexts, ok)
    assert not tokens, f"`{text}` goes on after its end: {tokens}"
    return value


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        assert found, f"an expression that this knows nothing of: `{text}`"
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


def _chain(
    sign: str, below: Callable[..., Any], join: Callable[[Any, Any], Any]
) -> Callable[..., Any]:
    def read(tokens: list[str], contexts: Mapping[str, Any], ok: bool) -> Any:
        value = below(tokens, contexts, ok)
        while tokens and tokens[0] == sign:
            tokens.pop(0)
            value = join(value, below(tokens, contexts, ok))
        return value

    return read


def _single(tokens: list[str], contexts: Mapping[str, Any], ok: bool) -> Any:
    token = tokens.pop(0)
    if token == "!":
        return not _single(tokens, contexts, ok)
    if token == "(":
        value = _either(tokens, contexts, ok)
        assert tokens.pop(0) == ")"
        return value
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if tokens[:2] == ["(", ")"]:
        del tokens[:2]
        return _STATUS[token](ok)
    return _looked_up(token, contexts)


def _looked_up(name: str, contexts: Mapping[str, Any]) -> Any:
    value: Any = contexts
    for key in name.split("."):
        assert key in value, f"`{name}` is not known here"
        value = value[key]
    return value


_same = _chain("==", _single, lambda a, b: a == b)
_other = _chain("!=", _same, lambda a, b: a != b)
_both = _chain("&&", _other, lambda a, b: a and b)
_either = _chain("||", _both, lambda a, b: a or b)
