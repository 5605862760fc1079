"""What the Markdown of a report says, in which order, and what goes first where room is short."""

import re
from dataclasses import replace

import pytest
from reading import parse, tables
from telling import CLASSES, facts, subgroup

from skincli.evaluation.metrics import HEADLINE
from skincli.promotion.gate import GateCheck
from skincli.reporting.head import MARKER
from skincli.reporting.markdown import LIMIT, to_markdown

SECTIONS = [
    "Gate", "Figures", "Confusion matrix", "Classes", "Training", "ROC and reliability",
    "Subgroups", "Settings",
]  # fmt: skip
HOSTILE = "</details><script>x</script> @octocat #1 | a `b` **c** <!-- skincli report -->"


def written(told, **words):
    return to_markdown(told, ["roc.png"], **words).text


def headings(text):
    return [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]


def table_of(text, first):
    [found] = [table for table in tables(text) if table[0][0] == first]
    return found


def test_every_section_is_there_in_the_order_of_reading():
    assert headings(written(facts())) == SECTIONS


def test_the_first_lines_say_how_it_stands_and_on_what_data():
    first, title, verdict, kind, *_ = written(facts()).split("\n\n")
    assert first == MARKER == "<!-- skincli report -->"
    assert title == "## Training report: synthetic-small"
    assert verdict == (
        "**✓ The gate is met: all 2 conditions hold**; it becomes champion by hand: "
        "<code>skincli promote 3333</code>"
    )
    assert kind.startswith("**Synthetic data: drawn images, not a medical result.** Research")
    refused = written(facts(met=False)).split("\n\n")[2]
    assert refused == ("**✗ The gate is not met: 1 of 2 conditions fail**; it becomes challenger")


def test_real_data_are_not_called_synthetic():
    told = facts()
    told = replace(told, trained=replace(told.trained, synthetic=False, data_name="ham10000"))
    text = written(told)
    assert "ynthetic data" not in text
    assert "Research software, not a medical device." in text.split("\n\n")[3]


def test_the_head_names_what_was_trained():
    told = facts()
    told = replace(told, trained=replace(told.trained, precision="int8", seed=None))
    found = dict(table_of(written(told), "data set"))
    assert found == {
        "data set": f"synthetic (synthetic) {'d' * 12}",
        "data version": "a.dir",
        "split": "e" * 12,
        "test part": f"{'f' * 12}, 20 images of 18 lesions",
        "backbone": "small_resnet, 32 px, int8",
        "commit": "c" * 40,
        "run": f"2026-01-01T00:00:00+00:00, id {'3' * 32}",
        "seed": "unknown",
        "bundle": "b" * 12,
    }


def test_data_that_dvc_does_not_keep_have_no_version():
    told = facts()
    told = replace(told, trained=replace(told.trained, data_version=None))
    assert dict(table_of(written(told), "data set"))["data version"] == "not kept with DVC"


def test_the_checklist_says_what_was_found():
    text = written(facts(met=False))
    assert "- ✓ bundle self-test: bundle bbbb answers\n" in text
    assert "- ✗ calibration error (ECE): 0.030, at most 0.100\n" in text
    assert "4 models were measured on this test part so far." in text


def test_figures_stand_beside_those_of_the_champion():
    head, *rows = table_of(written(facts()), "metric")
    assert head == ["metric", "this model", "champion, version 3", "difference"]
    assert len(rows) == len(HEADLINE)
    found = {name: cells for name, *cells in rows}
    firm = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"
    assert found["accuracy"] == [
        f"0.700 (0.600{firm}0.800)", f"0.650 (0.500{firm}0.750)", f"+0.050 (-0.010{firm}+0.100)",
    ]  # fmt: skip
    assert found["melanoma sensitivity"][::2] == ["–", "–"]


def test_a_difference_is_bold_where_its_interval_leaves_out_0():
    rows = {line.split(" | ")[0]: line for line in written(facts()).splitlines()}
    bold = [name.removeprefix("| ") for name, line in rows.items() if "| **" in line]
    assert bold[:2] == ["macro AUROC", "malignant AUROC"]
    assert "| macro AUROC" in rows
    assert "**" not in rows["| accuracy"]


def test_without_a_champion_there_is_no_difference_and_it_is_said_why():
    text = written(facts(champion=False))
    head, *rows = table_of(text, "metric")
    assert head == ["metric", "this model"]
    assert {len(row) for row in rows} == {2}
    assert "Not held against a champion: there is no champion yet." in text


def test_the_confusion_matrix_has_counts_shares_and_a_bold_diagonal():
    text = written(facts())
    assert table_of(text, "true \\ predicted") == [
        ["true \\ predicted", *CLASSES],
        ["bcc", "3 (75%)", "0", "1 (25%)"],
        ["mel", "0", "0", "0"],
        ["nv", "2 (12%)", "4 (25%)", "10 (62%)"],
    ]
    assert "| **nv** | 2 (12%) | 4 (25%) | **10 (62%)** |" in text


def test_each_class_has_its_figures():
    head, *rows = table_of(written(facts()), "class")
    assert head == ["class", "images", "sensitivity", "precision", "AUROC"]
    assert [row[:2] for row in rows] == [["bcc", "4"], ["mel", "0"], ["nv", "16"]]
    assert rows[1][2:] == ["–", "–", "–"]


def test_details_are_closed():
    text = written(facts())
    assert text.count("<details>") == text.count("</details>") == 5
    assert "optimizer.lr=0.003" in text


def test_nothing_is_loaded_and_no_picture_is_linked():
    text = written(facts())
    assert not re.search(r"!\[|<img|\bdata:\w+/|<script|https?://", text)
    assert "Pictures in the folder of this report: roc.png." in text


def test_text_of_others_stays_text():
    told = facts()
    usual = written(told)
    told = replace(
        told,
        trained=replace(
            told.trained, run_name=HOSTILE, backbone=HOSTILE, data_name=HOSTILE,
            settings={"run.name": f"```\n{HOSTILE}"},
        ),
        standing=replace(told.standing, alone=HOSTILE, follows=HOSTILE),
        measured=replace(told.measured, subgroups=(subgroup(HOSTILE), subgroup("male"))),
    )  # fmt: skip
    text = written(told)
    assert headings(text) == headings(usual)
    assert [len(table) for table in tables(text)] == [len(table) for table in tables(usual)]
    markup = [token.content for token in parse(text) if token.type == "html_block"]
    opened = [token.content for token in parse(usual) if token.type == "html_block"]
    assert markup == opened
    prose = "".join(c.content for t in parse(text) for c in t.children or [] if c.type == "text")
    assert "@octocat" not in prose
    assert text.count(MARKER) == 2  # its own, and one between fences, where it is text


def test_a_setting_of_several_lines_stays_on_one():
    told = facts()
    told = replace(told, trained=replace(told.trained, settings={"run.name": "a\nseed=5\u202e"}))
    assert "```text\nrun.name=a seed=5\N{REPLACEMENT CHARACTER}\n```" in written(told)


@pytest.mark.parametrize("character", "x$@")
def test_endless_text_takes_no_room_from_the_rest(character):
    told, endless = facts(), character * 100_000
    checks = (GateCheck("bundle self-test", False, endless),) * 6
    verdict = replace(told.standing.verdict, checks=checks)
    told = replace(
        told,
        trained=replace(
            told.trained, run_name=endless, backbone=endless, data_name=endless,
            data_version=endless, data_warnings=(endless,), settings={"run.name": endless},
        ),
        standing=replace(
            told.standing, verdict=verdict, alone=endless, follows=endless, command=endless
        ),
        measured=replace(told.measured, subgroups=(subgroup(endless),)),
    )  # fmt: skip
    found = to_markdown(told, [])
    assert len(found.text) <= LIMIT
    assert set(found.left_out) <= {"Subgroups"}


@pytest.mark.parametrize("n_groups", [0, 1, 1000, 4000])
def test_the_least_important_sections_go_where_there_is_no_room(n_groups):
    told = facts()
    groups = tuple(subgroup(f"group {number}") for number in range(n_groups))
    found = to_markdown(replace(told, measured=replace(told.measured, subgroups=groups)), [])
    assert len(found.text) <= LIMIT
    assert found.left_out == (("Subgroups",) if n_groups > 999 else ())
    assert ("Left out for want of room: Subgroups." in found.text) == bool(found.left_out)
    assert headings(found.text) == [each for each in SECTIONS if each not in found.left_out]


def test_sections_are_left_out_whole_in_the_order_of_their_weight():
    whole = len(written(facts()))
    left = [to_markdown(facts(), [], limit=whole - 600 * step).left_out for step in range(1, 20)]
    order = (
        "Subgroups", "Settings", "ROC and reliability", "Training", "Classes", "Confusion matrix",
        "Figures",
    )  # fmt: skip
    assert max(left, key=len) == order
    assert all(found == order[: len(found)] for found in left)
    text = written(facts(), limit=0)
    assert headings(text) == ["Gate"]
    assert text.startswith(MARKER)
