"""Whatever text comes in, a reader sees that text, and GitHub sees nothing to act upon."""

import re
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reading import UNSEEN, parse, tables, text_of

from skincli.pages.markdown import blocks, code, details, fenced, plain, shown, strong, table

TEXTS = st.text(max_size=60) | st.text(alphabet="@#1a|\\`*_[]()<>!&;:/.-+=~$ \n\tw", max_size=30)
HOSTILE = [
    "@octocat", "#12", "GH-7", "a/b#3", "https://example.org", "www.example.org", "a@b.org",
    "a | b", "\\|", "`x`", "**x**", "_x_", "~~x~~", "[a](b)", "![a](b)", "<img src=x>", "&lt;",
    "<!-- -->", "<!-- skincli report -->", "# x", "- x", "+ x", "1. x", "2) x", "---", "> x",
    "```", "$x$", ":tada:", ":a_b:", "_www.a.b", "*gh-1",
    "a\n\nb", "    code", "[^1]", "[ ] x", "\u202eabc", "\ud800", "\0",
]  # fmt: skip


def acted_upon(markdown: str) -> list[str]:
    """What GitHub finds in the finished text: mentions, references, addresses, emoji."""
    seen = "".join(text for token in parse(markdown) for text in _texts(token))
    rules = r"@\w|#\d|(?i:gh-\d)|://|(?i:www\.)|:[a-z+-][\w+-]*:"
    return re.findall(rules, seen)


def _texts(token):
    for child in token.children or [token]:
        if child.type in ("text", "text_special"):
            yield child.content


def hostile(test):
    for text in HOSTILE:
        test = example(text)(test)
    return test


@hostile
@given(TEXTS)
def test_a_reader_sees_the_text_and_nothing_comes_of_it(text):
    escaped = plain(text)
    assert "\n" not in escaped
    assert acted_upon(escaped) == []
    tokens = parse(escaped)
    if not shown(text):
        assert tokens == []
        return
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert text_of(tokens[1]) == shown(text).replace(UNSEEN, "")


@hostile
@given(TEXTS)
def test_text_stays_in_its_cell(text):
    [found] = tables(table(("a", text, "b"), [("1", text, "2"), (text, "x", text)]))
    seen = shown(text).replace(UNSEEN, "")
    assert found == [["a", seen, "b"], ["1", seen, "2"], [seen, "x", seen]]


@hostile
@given(TEXTS)
def test_what_is_to_be_copied_is_copied_as_it_is(text):
    [line, *_] = [t for t in parse(f"x {code(text)} x") if t.type == "inline"]
    inner = "".join(child.content for child in line.children if child.type != "html_inline")
    assert inner == f"x {shown(text)} x"
    assert [c.content for c in line.children if c.type == "html_inline"] == ["<code>", "</code>"]


@hostile
@given(TEXTS)
def test_no_line_closes_its_fence(text):
    found = parse(blocks((fenced("text", text), "after")))
    assert [token.type for token in found] == [
        "fence", "paragraph_open", "inline", "paragraph_close",
    ]  # fmt: skip


@hostile
@given(TEXTS)
def test_a_summary_opens_what_is_below_it_and_nothing_else(text):
    opening, *below, closing = parse(details(text, "**inside**", table(("a",), [("b",)])))
    assert (opening.type, closing.content) == ("html_block", "</details>")
    summary = opening.content.removeprefix("<details>\n<summary>").removesuffix("</summary>\n")
    assert "<" not in summary
    assert unescape(summary).replace(UNSEEN, "") == shown(text).replace(UNSEEN, "")
    assert not re.search(r"@\w|#\d", unescape(summary))
    assert {"paragraph_open", "table_open"} <= {token.type for token in below}


def test_a_dollar_begins_no_formula():
    assert plain("$x$").replace("<span>$</span>", "") == "x"


def test_markup_of_ours_is_left_alone():
    assert plain(strong("a|b")) == r"**a\|b**"
    assert plain("0.512 (0.4 to 0.6)") == "0.512 (0.4 to 0.6)"
    assert plain("-0.3") == "-0.3"


def test_what_cannot_be_printed_is_replaced():
    assert shown("a\u202eb\0c\ud800") == "a�b�c�"
    assert shown(" a \n b\N{NO-BREAK SPACE}c ") == "a b\N{NO-BREAK SPACE}c"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_github_would_act_upon_is_found_by_these_tests(text):
    """The rules above see the raw texts: they are not blind."""
    acting = {"@octocat", "#12", "GH-7", "a/b#3", "https://example.org", "www.example.org"}
    if text in acting | {"a@b.org", ":tada:", ":a_b:", "_www.a.b", "*gh-1"}:
        assert acted_upon(text)
