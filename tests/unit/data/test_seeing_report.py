"""The report page: whole, self-contained, and deaf to what data would have it do."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from commands import skincli
from PIL import Image

from skincli.config.schema import Config
from skincli.data import fetch, prepare
from skincli.data.records import DuplicatePair, Rejected
from skincli.data.seeing.choosing import sample_by_dx
from skincli.data.seeing.contents import Contents, open_contents
from skincli.data.seeing.describing import summarise
from skincli.data.seeing.report import render, write_report
from skincli.errors import ImageError, SkincliError
from skincli.progress import Silent

EMPTY = {"meta", "img", "br"}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> 皮膚'


@dataclass
class Page(HTMLParser):
    """Tags with their attributes, and the text; nesting is checked."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    unclosed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> says something twice: {names}"
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.unclosed.pop() == tag

    def handle_data(self, data):
        self.text += data


def parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.unclosed == []
    return page


def page_of(contents: Contents, seed: int = 0) -> str:
    return render(summarise(contents), contents, seed, Silent())


@pytest.fixture(scope="module")
def contents(synthetic_config: Config) -> Iterator[Contents]:
    """The drawn set as it is before it is prepared."""
    with open_contents(synthetic_config) as contents:
        yield replace(contents, prepared=None, duplicates=None)


@pytest.fixture(scope="module")
def plain(contents: Contents) -> str:
    return page_of(contents)


@pytest.fixture(scope="module")
def busy(contents: Contents) -> str:
    """A real set's page: pairs, rows that were left out, an image that cannot be read."""
    ids = [row.image_id for row in contents.rows]
    within = DuplicatePair(ids[0], ids[1], "A", "A", "file", 0.0)
    across = DuplicatePair(ids[2], ids[3], "B", "C", "near", 4.25)

    def picture(image_id: str, at_least: int | None) -> Image.Image:
        if image_id == ids[2]:
            raise ImageError("the image is truncated", "damaged")
        return contents.picture(image_id, at_least)

    return page_of(
        replace(
            contents,
            record=replace(contents.record, synthetic=False),
            picture=picture,
            duplicates=[within, within, across],
            rejected=[Rejected(i, f"gone-{i}", "image missing", "") for i in range(1, 251)],
        )
    )


def test_it_asks_nothing_of_the_outside(plain):
    page = parse(plain)
    tags = Counter(tag for tag, _ in page.tags)
    assert not tags.keys() & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                assert value.startswith("data:image/" if tag == "img" else "#"), (tag, value)
            assert not name.startswith("on")
    assert "@import" not in plain
    assert plain.count("url(") == plain.count("url(#")


def test_it_is_sound_html_with_a_text_for_every_picture(plain):
    page = parse(plain)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        if tag == "img":
            assert attributes["alt"].startswith("SYN_")
        if tag == "svg":
            assert attributes["aria-label"]
    links = {a["href"][1:] for tag, a in page.tags if tag == "a"}
    assert links <= set(ids)
    assert sum(tag == "svg" for tag, _ in page.tags) == 8


def test_it_shows_one_image_per_lesion_and_at_most_24_of_a_diagnosis(plain, contents):
    shown = {attributes["alt"] for tag, attributes in parse(plain).tags if tag == "img"}
    rows = [row for row in contents.rows if row.image_id in shown]
    assert len({row.lesion_id for row in rows}) == len(rows) == len(shown)
    expected = {dx: min(24, n) for dx, n in Counter(contents.diagnoses.values()).items()}
    assert Counter(row.dx for row in rows) == expected
    assert max(expected.values()) == 24


def test_the_lot_depends_on_the_seed_alone(contents):
    first = sample_by_dx(contents.rows, 5, seed=1)
    assert sample_by_dx(reversed(contents.rows), 5, seed=1) == first
    assert sample_by_dx(contents.rows, 5, seed=2) != first


def test_the_same_data_and_seed_give_the_same_bytes(plain, contents):
    assert page_of(contents) == plain


def test_synthetic_data_say_so_in_large_letters(plain, busy):
    assert '<p class="synthetic">Synthetic data</p>' in plain
    assert "Synthetic data" not in busy


def test_no_value_becomes_markup(contents):
    rows = [
        replace(
            row, localization=f"site {HOSTILE}", dataset=f"{i % 30} {HOSTILE}",
            dx_type=f"_{i % 9} {HOSTILE}", sex="$x_{$ is text", lesion_id=row.lesion_id + HOSTILE,
        )
        for i, row in enumerate(contents.rows)
    ]  # fmt: skip
    ids = [row.image_id for row in rows]
    html = page_of(
        replace(
            contents,
            name=f"my set {HOSTILE}",
            record=replace(contents.record, origin=HOSTILE, licence=HOSTILE),
            rows=rows,
            diagnoses={k + HOSTILE: dx for k, dx in contents.diagnoses.items()},
            duplicates=[DuplicatePair(ids[0], ids[1], HOSTILE, "", "near", 3.25)],
            rejected=[Rejected(3, HOSTILE, HOSTILE, HOSTILE)],
        )
    )
    page = parse(html)
    tags = Counter(tag for tag, _ in page.tags)
    assert tags["script"] == 0
    assert "<script>alert(1)</script>" in page.text
    assert f"site {HOSTILE}" in page.text
    assert all("onerror" not in attributes for _, attributes in page.tags)
    assert all(a["src"].startswith("data:") for tag, a in page.tags if tag == "img")


def test_an_image_that_cannot_be_read_is_named_and_the_others_are_shown(plain, busy):
    page = parse(busy)
    named = page.text.count("the image is truncated")
    assert named in (1, 2)  # as one of the pair, and perhaps by lot
    assert "SYN_0000003" in page.text
    assert busy.count("<img ") == plain.count("<img ") + 6 - named


def test_duplicates_across_lesions_come_first(plain, busy):
    assert "Not looked for yet" in plain
    text = parse(busy).text
    assert "3 pairs show the same picture, 1 of them under different lesion" in text
    assert "nearly the same picture, across lesions, difference 4.2" in text
    assert busy.index('class="pair across"') < busy.index('class="pair"')


def test_200_of_many_rows_that_were_left_out_are_listed(busy):
    text = parse(busy).text
    assert "250 rows. The first 200 are listed." in text
    assert "gone-200" in text
    assert "gone-201" not in text


def test_a_prepared_set_shows_its_fingerprints_and_its_duplicates(synthetic_config, tmp_path):
    manifest = prepare(synthetic_config, Silent()).prepared.manifest
    path = write_report(synthetic_config, tmp_path / "new" / "page.html", Silent()).path
    text = parse(path.read_text(encoding="utf-8")).text
    assert manifest.dataset_fingerprint in text
    assert manifest.test_fingerprint in text
    assert "None were found." in text


def test_a_page_that_cannot_be_written_leaves_nothing(synthetic_config, tmp_path):
    target = tmp_path / "page.html"
    (target / "inside").mkdir(parents=True)
    with pytest.raises(SkincliError, match="cannot be written"):
        write_report(synthetic_config, target, Silent())
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_command_writes_it_where_it_is_told(synthetic_config, tmp_path):
    settings = (
        "data=synthetic", f"data.root={synthetic_config.data.root}",
        "data.synthetic.lesions=120", "data.image_size=32",
    )  # fmt: skip
    found = skincli(tmp_path, "data", "info", "--report", *settings, "--json").data
    assert Path(found["report"]) == Path(synthetic_config.data.root) / "synthetic" / "report.html"
    assert found["images_per_lesion"].keys() == {"1", "2", "3"}
    assert found["cautions"]
    parse(Path(found["report"]).read_text(encoding="utf-8"))
    named = skincli(tmp_path, "data", "info", *settings[:1], "own.html", "--report", *settings[1:])
    assert "Report in own.html" in named.out
    assert (tmp_path / "own.html").is_file()
    refused = skincli(tmp_path, "data", "info", "own.html", *settings, code=2)
    assert "--report own.html" in refused.err
    refused = skincli(tmp_path, "data", "info", "--report", "Data=synthetic", *settings, code=2)
    assert "end its name in .html" in refused.err


def test_the_command_shows_counts_and_cautions(synthetic_config, tmp_path):
    settings = (
        "data=synthetic", f"data.root={synthetic_config.data.root}", "data.synthetic.lesions=120",
    )  # fmt: skip
    out = skincli(tmp_path, "data", "info", *settings).out
    info = skincli(tmp_path, "data", "info", *settings, "--json").data
    assert info["report"] is None
    for name, count in info["by_localization"].items():
        assert any(name in line and f" {count} " in line for line in out.splitlines())
    assert all(caution in out for caution in info["cautions"])
    assert "lesions by their number of images: " in out


def test_the_published_set_makes_a_small_page(real_data, tmp_path):
    config = Config()
    config.data.root = str(tmp_path)
    config.data.mirror = str(real_data / "ham10000-200x150")
    fetch(config, Silent())
    report = write_report(config, None, Silent())
    html = report.path.read_text(encoding="utf-8")
    assert report.bytes == report.path.stat().st_size < 5e6
    page = parse(html)
    assert "vidir_molemax: 3,720 of its 3,954 images are nv" in page.text
    assert "Cramér's V 0.34" in page.text
    assert Counter(tag for tag, _ in page.tags)["img"] == 7 * 24
    assert report.info.images_per_lesion[1] == 5514
