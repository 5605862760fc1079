"""What the command line prints, and where."""

import io
import json

import pytest
from rich.console import Console

from skincli.cli.options import is_override, only_word, protect_words_after_dashes, split_words
from skincli.cli.output import Output
from skincli.cli.progress import PlainProgress, RichProgress
from skincli.cli.serving import as_environment
from skincli.config.load import load_config
from skincli.errors import UsageError


@pytest.mark.parametrize("word", ["seed=1", "data.image_size=64", "data=synthetic", "run.name="])
def test_what_reads_as_an_override(word):
    assert is_override(word)


@pytest.mark.parametrize(
    "word", ["./a=b.jpg", "/x/a=b.jpg", "A=b", "models:/m@c", "a.jpg", "--x=1"]
)
def test_what_does_not(word):
    assert not is_override(word)


def test_words_are_told_from_overrides_and_dashes_end_them():
    assert split_words(["a.jpg", "seed=1", "b.jpg"]) == (["a.jpg", "b.jpg"], ["seed=1"])
    assert protect_words_after_dashes(["predict", "seed=1", "--", "a=b", "c"]) == [
        *("predict", "seed=1", "--", "./a=b", "c")
    ]
    assert only_word(["x"], "MODEL") == "x"
    with pytest.raises(UsageError, match="got 2: x y"):
        only_word(["x", "y"], "MODEL")


def test_a_child_process_composes_the_same_config(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("seed: 3\n")
    overrides = ["experiment=demo", "serve.port=8123", "run.name=012"]
    expected = load_config(overrides, file, tmp_path, {}).config
    environ = as_environment(overrides, file)
    assert load_config([], None, tmp_path, environ).config == expected


def test_piped_progress_is_plain_lines_with_an_end():
    stream = io.StringIO()
    progress = PlainProgress(Console(file=stream, width=200))
    with progress.step("Packing", 10) as step:
        for _ in range(10):
            step.advance(images_per_second="5")
    assert "Packing: 10/10, done in" in stream.getvalue()
    assert "5 images/s" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_json_leaves_the_streams_to_the_result(capsys):
    output = Output(as_json=True)
    progress = output.progress()
    progress.panel("Training", (("device", "cpu"),))
    progress.note("1/3")
    output.table(["class"], [["mel"]], "Validation part")
    output.result({"a": 1}, ["a line"])
    found = capsys.readouterr()
    assert (json.loads(found.out), found.err) == ({"a": 1}, "")


def test_json_or_not_a_warning_is_told(capsys):
    for as_json in (True, False):
        Output(as_json).progress().warn("the disk is\nfull")
    in_json, *plain = capsys.readouterr().err.splitlines()
    assert json.loads(in_json) == {"warning": "the disk is\nfull"}
    assert plain[0].startswith("warning: the disk is")


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich takes the captured stream for a terminal
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(Output(as_json=False).progress(), PlainProgress)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(Output(as_json=False).progress(), RichProgress)
