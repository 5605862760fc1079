"""`data view`: drawn in a real terminal, written as a sheet elsewhere."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import SKINCLI, skincli
from PIL import Image

from skincli.config.load import load_config
from skincli.config.schema import Config
from skincli.data.records import Rejected
from skincli.data.seeing.choosing import find_rows
from skincli.data.seeing.contents import open_contents
from skincli.data.seeing.sheet import draw_sheet, write_sheet
from skincli.data.seeing.view import view
from skincli.errors import DataError, UsageError

TRUE_COLOUR = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m(▀+)")
INDEXED_COLOUR = re.compile(r"\x1b\[38;5;(\d+);48;5;(\d+)m(▀+)")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def settings_of(config: Config) -> tuple[str, ...]:
    return (
        "data=synthetic", f"data.root={config.data.root}", "data.synthetic.lesions=120",
        "data.image_size=32",
    )  # fmt: skip


def in_terminal(folder: Path, width: int, *words: str, **environ: str) -> str:
    """What the command writes into a terminal of `width` columns and 40 lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    hidden = {"NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR", "COLORTERM"}
    inherited = {name: value for name, value in os.environ.items() if name not in hidden}
    process = subprocess.Popen(
        [SKINCLI, "data", "view", *words],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder,
        env=inherited | {"TERM": "xterm-256color"} | environ,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        written += piece
    os.close(ours)
    assert process.wait(60) == 0, written.decode()
    return written.decode().replace("\r\n", "\n")


def pixels_of(drawing: str) -> np.ndarray:
    """The image that lines of half blocks show: `[2 * lines, columns, 3]`."""
    rows = []
    for line in drawing.splitlines():
        cells = [
            [int(n) for n in match.groups()[:6]]
            for match in TRUE_COLOUR.finditer(line)
            for _ in match[7]
        ]
        if cells:
            rows.append(np.array(cells).reshape(-1, 2, 3).swapaxes(0, 1))
    return np.concatenate(rows)


def test_a_terminal_shows_the_image(synthetic_config, tmp_path):
    drawing = in_terminal(
        tmp_path, 80, "SYN_0000003", *settings_of(synthetic_config), COLORTERM="truecolor"
    )
    shown = pixels_of(drawing)
    assert shown.shape[1] <= 80
    assert shown.shape[1] / shown.shape[0] == pytest.approx(200 / 150, abs=0.05)
    (viewed,) = view(synthetic_config, ["SYN_0000003"])
    expected = viewed.picture.resize(shown.shape[1::-1])
    assert np.array_equal(shown, np.asarray(expected))
    assert "SYN_0000003" in drawing
    facts = viewed.facts
    assert f"{facts.dx} · {facts.age:g} y · {facts.sex}" in drawing
    assert not list(tmp_path.iterdir())


def test_images_stand_side_by_side_where_they_fit(synthetic_config, tmp_path):
    ids = ["SYN_0000001", "SYN_0000002", "SYN_0000003"]
    settings = settings_of(synthetic_config)
    for width, beside in ((40, 1), (70, 2), (140, 3)):
        drawing = in_terminal(tmp_path, width, *ids, *settings, COLORTERM="truecolor")
        lines = ESCAPE.sub("", drawing).splitlines()
        assert max(len(line) for line in lines) <= width
        captions = [line.split() for line in lines if "SYN_" in line]
        assert captions[0] == ids[:beside]
        assert [image_id for line in captions for image_id in line] == ids


def test_256_colours_are_enough(synthetic_config, tmp_path):
    drawing = in_terminal(tmp_path, 60, "SYN_0000003", *settings_of(synthetic_config))
    assert "38;2;" not in drawing
    cells = INDEXED_COLOUR.findall(drawing)
    indices = np.array([int(n) for *pair, blocks in cells for n in pair for _ in blocks])
    assert indices.min() >= 16  # the first ones are the user's own
    (viewed,) = view(synthetic_config, ["SYN_0000003"])
    # Dithered: no pixel has the right colour, all together have.
    assert np.abs(xterm(indices).mean(axis=0) - np.asarray(viewed.picture).mean((0, 1))).max() < 1


def xterm(indices: np.ndarray) -> np.ndarray:
    """The colours of xterm's cube and greys, `[N, 3]`."""
    levels = np.array([0, 95, 135, 175, 215, 255])
    cube = indices - 16
    colours = levels[np.stack([cube // 36 % 6, cube // 6 % 6, cube % 6], axis=1)]
    return np.where(indices[:, None] < 232, colours, 8 + 10 * (indices[:, None] - 232))


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colour_gets_a_sheet(synthetic_config, tmp_path, environ):
    written = in_terminal(tmp_path, 80, "SYN_0000003", *settings_of(synthetic_config), **environ)
    assert written == "view.png\n"
    with Image.open(tmp_path / "view.png") as sheet:
        assert sheet.format == "PNG"


def test_a_pipe_gets_a_sheet(synthetic_config, tmp_path):
    settings = settings_of(synthetic_config)
    done = skincli(
        tmp_path, "data", "view", "SYN_0000003.jpg", settings[0], "SYN_0000001", *settings[1:],
        "--output", "sheets/two.png",
    )  # fmt: skip
    assert done.out == "sheets/two.png\n"
    with Image.open(tmp_path / "sheets" / "two.png") as sheet:
        assert sheet.width > 2 * 320
    assert [path.name for path in (tmp_path / "sheets").iterdir()] == ["two.png"]


def test_json_gives_facts_and_the_sheet(synthetic_config, tmp_path):
    settings = settings_of(synthetic_config)
    found = skincli(tmp_path, "data", "view", "SYN_0000003", *settings, "--json").data
    assert found["sheet"] == "view.png"
    assert (tmp_path / "view.png").is_file()
    (facts,) = found["images"]
    assert (facts["image_id"], facts["width"], facts["height"]) == ("SYN_0000003", 200, 150)
    with open_contents(load_config(settings).config) as contents:
        assert facts["part"] == contents.parts["SYN_0000003"]


def test_refusals_say_what_to_do(synthetic_config, tmp_path):
    settings = settings_of(synthetic_config)
    refused = skincli(tmp_path, "data", "view", *settings, code=2)
    assert "`skincli data view SYN_0000001 SYN_0000002" in refused.err
    refused = skincli(tmp_path, "data", "view", "SYN_0000003x", *settings, code=2)
    assert "there is no image `SYN_0000003x`" in refused.err
    assert "did you mean: SYN_0000003, " in refused.err
    refused = skincli(
        tmp_path, "data", "view", "SYN_0000003", "--output", "a.jpg", *settings, code=2
    )
    assert "end its name in .png" in refused.err
    assert not list(tmp_path.iterdir())


def test_ids_that_are_none(synthetic_config):
    with open_contents(synthetic_config) as contents:
        lesion = contents.rows[0].lesion_id
        of_lesion = [row.image_id for row in contents.rows if row.lesion_id == lesion]
        with pytest.raises(DataError, match="is a lesion") as refused:
            find_rows([lesion], contents.rows, ())
        assert all(image_id in refused.value.hint for image_id in of_lesion)
        left_out = [Rejected(9, "GONE", "image missing", "")]
        with pytest.raises(DataError, match=r"`GONE` was left out: image missing$"):
            find_rows(["GONE"], contents.rows, left_out)
        with pytest.raises(DataError, match=r"`zzz`, nor 1 more") as refused:
            find_rows(["zzz", "yyy"], contents.rows, ())
        assert "there are: SYN_0000001" in refused.value.hint


def test_by_lot_every_image_is_of_another_lesion(synthetic_config, monkeypatch):
    first = view(synthetic_config, (), n_random=20)
    assert len({image.facts.lesion_id for image in first}) == 20
    again = [image.facts for image in view(synthetic_config, (), n_random=20)]
    assert again == [image.facts for image in first]
    more = view(synthetic_config, ["SYN_0000001", "SYN_0000001"], n_random=2)
    assert len(more) == 3
    monkeypatch.setattr("skincli.data.seeing.view._MOST", 10)
    with pytest.raises(UsageError, match="11 images are too many"):
        view(synthetic_config, ["SYN_0000001"], n_random=10)


def test_a_sheet_has_every_picture_and_cuts_long_captions(synthetic_config, tmp_path):
    images = view(synthetic_config, [f"SYN_{n:07d}" for n in range(1, 8)])
    long = [replace(i, facts=replace(i.facts, localization="Rücken " * 40)) for i in images]
    sheet = draw_sheet(long)
    assert sheet.width == 3 * 332 + 12
    pixels = np.asarray(sheet)
    row, column = 240 + 3 * 20 + 12 + 12, 320 + 12  # from one picture's corner to the next one's
    for place, image in enumerate(images):
        top, left = 12 + place // 3 * row, 12 + place % 3 * column
        shown = pixels[top : top + image.picture.height, left : left + 320]
        assert np.array_equal(shown, np.asarray(image.picture))
        gap = pixels[top : top + row - 12, left + 320 : left + 332]
        assert (gap == 255).all()
    with pytest.raises(UsageError, match=r"sheet\.webp"):
        write_sheet(images, tmp_path / "sheet.webp")


def test_captions_hold_no_control_characters(synthetic_config):
    (image,) = view(synthetic_config, ["SYN_0000001"])
    caption = replace(image.facts, localization="a\x1b[31m\nb").caption
    assert all(line.isprintable() for line in caption)
