"""The report: one page that asks nothing of the outside, and the same in Markdown."""

import copy
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from bundles import tiny_bundle

from skincli.config.data import PartsConfig
from skincli.config.schema import Config
from skincli.data import prepare
from skincli.evaluation.exhibits import choose_exhibits
from skincli.evaluation.findings import Subject, measure
from skincli.evaluation.plots.drawing import draw
from skincli.evaluation.report.report import render
from skincli.evaluation.scoring import score_rows
from skincli.inference.engine import Classifier
from skincli.progress import Silent

SECTIONS = (
    "Summary", "Intended use", "Limits", "Training data and model", "Metrics", "Calibration",
    "Subgroups", "When it had better not answer", "Mistakes and certainties", "Ethical note",
)  # fmt: skip
HOSTILE = "<script>alert(1)</script>|`*_[x](y)"


class Page(HTMLParser):
    """The tags of a page, which must close, and its text."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parsed(html):
    page = Page()
    page.feed(html)
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def measured(synthetic_config: Config, tmp_path_factory):
    """The parts of an evaluation of a small model, before they are written."""
    config = copy.deepcopy(synthetic_config)
    config.evaluate.resamples = 100
    config.data.parts = PartsConfig(train=0.3, validation=0.1, calibration=0.1, test=0.5)
    prepared = prepare(config, Silent()).prepared
    rows = prepared.rows("test")
    bundle = tiny_bundle(tmp_path_factory.mktemp("bundle") / "b")
    classifier = Classifier(bundle)
    scored = score_rows(classifier, prepared, rows, 64, Silent())
    findings = measure(scored, classifier, prepared, rows, config.evaluate, Silent())
    subject = Subject(
        bundle_digest=bundle.digest,
        model="run",
        version=None,
        run_id=None,
        spec=bundle.spec,
        manifest=prepared.manifest,
        part="test",
    )
    return subject, scored, findings, choose_exhibits(scored, classifier, prepared, rows)


def rendered(subject, scored, findings, exhibits):
    return render(subject, scored, findings, exhibits, draw(subject, scored, findings))


@pytest.fixture(scope="module")
def report(measured):
    return rendered(*measured)


def test_the_page_asks_nothing_of_the_outside(report):
    html, _ = report
    page = parsed(html)
    tags = Counter(tag for tag, _ in page.tags)
    assert not tags.keys() & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                assert value.startswith(("data:image/", "#")), (tag, value)
            assert not name.startswith("on")
    assert html.count("url(") == html.count("url(#")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_page_and_markdown_have_every_section(report):
    html, markdown = report
    headings = [line.removeprefix("## ") for line in markdown.splitlines() if line[:3] == "## "]
    assert tuple(headings) == SECTIONS
    assert all(f"<h2>{title}</h2>" in html for title in SECTIONS)


def test_figures_stand_in_both_with_their_intervals(report, measured):
    found = measured[2].intervals["balanced_accuracy"]
    text = f"{found.value:.3f} ({found.low:.3f}\xa0to\xa0{found.high:.3f})"
    html, markdown = report
    assert text in html
    assert text in markdown


def test_pictures_are_drawn_in_the_page_and_linked_from_the_markdown(report):
    html, markdown = report
    assert html.count("<svg") == 5
    for name in ("confusion_matrix", "roc", "precision_recall", "reliability", "subgroups"):
        assert f"({name}.png)" in markdown


def test_synthetic_data_are_called_so(report):
    html, markdown = report
    assert 'class="synthetic"' in html
    assert "Synthetic data: not a medical result" in markdown


def test_exhibits_are_what_they_are_called(measured, report):
    subject, scored, _, exhibits = measured
    row = {sample.image_id: index for index, sample in enumerate(scored.samples)}
    kinds = Counter(each.kind for each in exhibits)
    assert set(kinds) == {
        "Worst mistakes: malignant, and called benign",
        "Wrong otherwise, and sure of it",
        "Right, and sure of it",
    }
    for each in exhibits:
        index = row[each.image_id]
        right = scored.decided[index] == scored.labels[index]
        if each.kind.startswith("Worst"):
            assert scored.is_malignant[index]
            assert each.malignant < subject.spec.operating_point
        else:
            assert right == each.kind.startswith("Right")
        assert (each.image.shape, each.heat_map.shape) == ((32, 32, 3), (32, 32, 3))
    assert any((each.image != each.heat_map).any() for each in exhibits)
    lesions = [(each.kind, scored.samples[row[each.image_id]].lesion_id) for each in exhibits]
    assert len(lesions) == len(set(lesions))
    sure = [each.probability for each in exhibits if each.kind.startswith("Right")]
    assert sure == sorted(sure, reverse=True)
    images = [a for tag, a in parsed(report[0]).tags if tag == "img"]
    assert len(images) == 2 * len(exhibits)
    assert all(a["alt"] for a in images)


def test_text_of_a_data_set_becomes_no_markup(measured):
    subject, scored, findings, exhibits = measured
    manifest = replace(subject.manifest, name=HOSTILE, warnings=(HOSTILE,))
    groups = tuple(replace(group, name=HOSTILE) for group in findings.subgroups)
    html, markdown = rendered(
        replace(subject, manifest=manifest, model=HOSTILE),
        scored,
        replace(findings, subgroups=groups),
        tuple(replace(each, image_id=HOSTILE) for each in exhibits),
    )
    assert "script" not in {tag for tag, _ in parsed(html).tags}
    assert HOSTILE in parsed(html).text
    assert "<script" not in markdown.replace("\\<", "")
    tables = [line for line in markdown.splitlines() if line.startswith("| sex: ")]
    assert len({line.replace("\\|", "").count("|") for line in tables}) == 1


def test_a_set_without_metadata_has_no_subgroups(measured):
    subject, scored, findings, exhibits = measured
    bare = replace(findings, subgroups=(), shortcut=None)
    html, markdown = rendered(subject, scored, bare, exhibits)
    assert "tell nothing to group the images by" in html
    assert "subgroups.png" not in markdown


def test_a_model_without_mistakes_shows_none(measured):
    subject, scored, findings, _ = measured
    html, _ = rendered(subject, scored, findings, ())
    assert "<img" not in html


def test_undefined_figures_are_dashes(measured):
    subject, scored, findings, _ = measured
    few = replace(findings, intervals={"accuracy": findings.intervals["accuracy"]})
    html, markdown = rendered(subject, scored, few, ())
    assert "<td>–</td>" in html
    assert "| – |" in markdown
