"""The report of a model that was really trained, without a champion and beside one."""

import copy
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bundles import tiny_bundle
from commands import skincli
from graded import graded_bundle
from trainings import small

from skincli.cli.output import to_data
from skincli.config.load import to_yaml
from skincli.config.promotion import PromotionConfig
from skincli.data import prepare
from skincli.errors import ModelError, UsageError
from skincli.evaluation.comparing import compare
from skincli.evaluation.evaluate import evaluate
from skincli.evaluation.metrics import HEADLINE
from skincli.progress import Silent
from skincli.promotion.promote import promote
from skincli.reporting.report import report
from skincli.tracking.registry import read_registry
from skincli.tracking.runs import recorded_run
from skincli.training.train import train
from skincli.versioning.recording import RECORD_KEY

FILES = {
    "report.md", "report.json", "confusion_matrix.png", "roc.png", "reliability.png", "curves.png",
}  # fmt: skip
LENIENT = PromotionConfig(
    margin=1, melanoma_sensitivity=0, max_ece=1, subgroup_sensitivity=0, subgroup_size=5
)

VERSION = "5d41402abc4b2a76b9719d911017c592-dirty"


@pytest.fixture(scope="module")
def store(synthetic_config, empty_database, tmp_path_factory):
    config = small(synthetic_config)
    folder = tmp_path_factory.mktemp("store")
    shutil.copyfile(empty_database, folder / "mlflow.db")
    config.tracking.uri = f"sqlite:///{folder}/mlflow.db"
    config.run.root = str(folder / "runs")
    config.run.name = "@octocat's | run #1"
    config.evaluate.root = str(folder / "evaluations")
    config.evaluate.resamples = 200
    parts = config.data.parts
    parts.train, parts.validation, parts.calibration, parts.test = 0.4, 0.1, 0.1, 0.4
    return config


@pytest.fixture(scope="module")
def trained(store):
    """A training of 3 epochs, and what its evaluation found."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two tests run side by side
    run = train(store, Silent())
    torch.set_num_threads(threads)
    return run, evaluate(store, run.run_id, Silent())


@pytest.fixture(scope="module")
def models(store):
    """Measured models beside it: one that is nearly always right, one that mostly is not."""
    found = {name: log(store, name, spoilt) for name, spoilt in {"best": 0, "poor": 0.8}.items()}
    for run_id in found.values():
        evaluate(store, run_id, Silent())
    return found


@pytest.fixture
def config(store, request):
    """A registry of its own in the store."""
    config = copy.deepcopy(store)
    config.registry.name = re.sub(r"\W", "-", request.node.name)
    config.promotion = replace(LENIENT)
    return config


def log(config, name, spoilt):
    prepared = prepare(config, Silent()).prepared
    with recorded_run(config, name, "", None, Silent()) as recorder:
        recorder.environment({RECORD_KEY: {"name": VERSION}})
        folder = Path(config.run.root) / "bundles" / recorder.run_id
        recorder.bundle(graded_bundle(folder, prepared, spoilt, run_id=recorder.run_id))
    return recorder.run_id


def crown(config, run_id):
    promote(config, run_id, Silent(), force=True, reason="to begin with")


def told(result):
    """The Markdown, and the facts beside it."""
    text = (result.folder / "report.md").read_text()
    return text, json.loads((result.folder / "report.json").read_text())


def row(text, first):
    """The cells of the only row that begins so."""
    [found] = [line for line in text.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in found.strip("|").split(" | ")]


def test_a_first_model_is_reported_with_everything_that_is_known(config, trained, tmp_path):
    run, found = trained
    config.promotion.melanoma_sensitivity = 1.0
    config.promotion.max_ece = 0.0
    result = report(config, run.run_id, tmp_path / "report", Silent())
    assert {file.name for file in result.folder.iterdir()} == FILES
    assert (result.met, result.synthetic, result.run_id) == (False, True, run.run_id)
    assert result.left_out == ()
    for name in FILES - {"report.md", "report.json"}:
        origin = run.folder if name == "curves.png" else found.folder
        assert (result.folder / name).read_bytes() == (origin / name).read_bytes()
    text, facts = told(result)
    assert text.startswith("<!-- skincli report -->\n\n## Training report: @&#8203;octocat's \\| ")
    assert "**✗ The gate is not met: " in text.split("\n\n")[2]
    assert "it becomes challenger, champion stays as it is" in text.split("\n\n")[2]
    assert "Synthetic data" in text.split("\n\n")[3]
    assert "Not held against a champion: there is no champion yet." in text
    metrics = found.metrics
    assert row(text, "balanced accuracy")[1].startswith(f"{metrics.balanced_accuracy:.3f} (")
    assert sum(map(sum, facts["measured"]["confusion"])) == metrics.n == found.n_images
    matrix = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:4] == "| **"]
    shown = [[int(cell.strip("*").split(" ")[0]) for cell in cells[1:]] for cells in matrix]
    assert shown == facts["measured"]["confusion"]
    assert len(facts["epochs"]) == 3
    assert "3 epochs. Best balanced accuracy on the validation part: " in text
    assert text.count("```mermaid\n") == 4
    assert facts["trained"]["data_version"] is None
    assert facts["trained"]["settings"]["model.width"] == 8
    assert not any("root" in key or "uri" in key for key in facts["trained"]["settings"])
    json.dumps(to_data(result), allow_nan=False)  # as with `--json`
    # Nothing followed from it.
    assert read_registry(config).versions == ()


def test_a_model_stands_beside_the_champion_on_the_same_images(config, trained, models, tmp_path):
    run, _ = trained
    crown(config, models["poor"])
    result = report(config, run.run_id, tmp_path / "report", Silent())
    text, facts = told(result)
    assert result.met
    assert f"it becomes champion by hand: <code>skincli promote {run.run_id}</code>" in text
    held = compare(config, run.run_id, f"models:/{config.registry.name}/1", Silent()).figures
    for name in HEADLINE:
        figure, other = facts["measured"]["figures"][name], held[name]
        assert figure["model"]["value"] == pytest.approx(other.a)
        assert figure["champion"]["value"] == pytest.approx(other.b)
        assert figure["difference"]["low"] == pytest.approx(other.difference.low)
    assert "| metric | this model | champion, version 1 | difference |" in text
    assert row(text, "accuracy")[2].startswith(f"{held['accuracy'].b:.3f} (")
    assert facts["standing"]["champion"] == "version 1"
    assert len(facts["measured"]["roc"]["champion"]) == 41
    config.promotion.automatic = True
    alone = report(config, run.run_id, tmp_path / "report", Silent())
    assert (alone.standing.follows, alone.standing.command) == ("it becomes champion", "")


def test_the_verdict_is_that_of_a_dry_run(config, trained, models, tmp_path):
    run, _ = trained
    crown(config, models["best"])
    config.promotion.margin = 0.0
    result = report(config, run.run_id, tmp_path / "report", Silent())
    dry = promote(config, run.run_id, Silent(), dry_run=True)
    assert result.standing.verdict == dry.verdict
    assert not result.met
    text, _ = told(result)
    assert "- ✗ balanced accuracy not worse than the champion's: " in text
    assert row(text, "balanced accuracy")[3].startswith("**-0.")


def test_a_champion_is_not_held_against_itself(config, models, tmp_path):
    crown(config, models["best"])
    result = report(config, models["best"], tmp_path / "report", Silent())
    assert result.standing.follows == "it is champion already, version 1"
    text, facts = told(result)
    assert "Not held against a champion: it is the champion, version 1." in text
    assert facts["trained"]["data_version"] == VERSION
    # Its run has neither epochs nor their picture.
    assert facts["epochs"] == []
    assert "holds no figures of single epochs" in text
    assert not (result.folder / "curves.png").exists()


def test_a_champion_of_another_task_is_no_measure(config, trained, tmp_path):
    with recorded_run(config, "binary", "", None, Silent()) as recorder:
        folder = Path(config.run.root) / "bundles" / recorder.run_id
        recorder.bundle(tiny_bundle(folder, "binary", run_id=recorder.run_id))
    evaluate(config, recorder.run_id, Silent())
    crown(config, recorder.run_id)
    result = report(config, trained[0].run_id, tmp_path / "report", Silent())
    assert not result.met
    text, _ = told(result)
    assert "version 1 cannot be compared: the two models were trained for different tasks" in text
    assert "| metric | this model |\n" in text


def test_a_model_of_an_official_split_is_reported_and_never_promoted(config, tmp_path):
    with recorded_run(config, "official", "", None, Silent()) as recorder:
        folder = Path(config.run.root) / "bundles" / recorder.run_id
        recorder.bundle(tiny_bundle(folder, split="official", run_id=recorder.run_id))
    evaluate(config, recorder.run_id, Silent())
    result = report(config, recorder.run_id, tmp_path / "report", Silent())
    text, _ = told(result)
    assert "**✗ The gate is not met: 1 of 1 conditions fail**; it is never promoted" in text
    assert "official split that may leak (its parts leak)" in text
    assert "\n- its parts leak\n" in text


def test_a_model_must_have_been_measured_on_the_current_test_part(config, trained, tmp_path):
    run, _ = trained
    config.data.parts.seed += 1
    with pytest.raises(ModelError, match="not measured on the current test split") as caught:
        report(config, run.run_id, tmp_path / "report", Silent())
    assert f"skincli evaluate {run.run_id}" in caught.value.hint
    config.data.source = "folder"
    with pytest.raises(ModelError, match="trained on `synthetic` and the config names `folder`"):
        report(config, run.run_id, tmp_path / "report", Silent())
    assert list(tmp_path.iterdir()) == []


def test_only_a_report_is_replaced(config, models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = report(config, models["best"], None, Silent())
    assert first.report == Path("reports") / models["best"] / "report.md"
    (first.folder / "report.md").write_text("old")
    (first.folder / "curves.png").write_text("old")
    again = report(config, models["best"], None, Silent())
    assert again.report.read_text() != "old"
    assert not (again.folder / "curves.png").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").touch()
    (tmp_path / "file").touch()
    for taken in (mine, tmp_path / "file", tmp_path):
        with pytest.raises(UsageError, match="is there already, and is no report"):
            report(config, models["best"], taken, Silent())
    assert {each.name for each in tmp_path.iterdir()} == {"reports", "mine", "file"}
    assert [each.name for each in mine.iterdir()] == ["thesis.txt"]


def test_the_command_ends_with_0_whatever_the_verdict(config, trained, tmp_path):
    run, _ = trained
    config.promotion.max_ece = 0.0
    (tmp_path / "skincli.yaml").write_text(to_yaml(config))
    done = skincli(tmp_path, "report", run.run_id, "--output", "out")
    assert "✗ calibration error (ECE)" in done.out
    assert "The gate is not met: it becomes challenger, champion stays as it is" in done.out
    assert "Report: out/report.md" in done.out
    assert "not a medical result" in done.out
    nothing = skincli(tmp_path, "report", code=2)
    assert "give exactly one RUN" in nothing.err
