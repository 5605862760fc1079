"""The gate against a real store: what is promoted, what is refused, and what is written down."""

import copy
import itertools
import json
import re
import shutil
from pathlib import Path

import pytest
from bundles import tiny_bundle
from graded import graded_bundle

from skincli.bundle import MODEL_FILE, SPEC_FILE, file_sha256
from skincli.config.promotion import PromotionConfig
from skincli.data import prepare
from skincli.errors import GateError, ModelError, SkincliError, UsageError
from skincli.evaluation.evaluate import evaluate
from skincli.progress import Silent
from skincli.promotion.promote import promote
from skincli.promotion.rollback import rollback
from skincli.tracking.evaluations import count_evaluated
from skincli.tracking.registry import read_registry
from skincli.tracking.resolve import resolve
from skincli.tracking.runs import recorded_run
from skincli.tracking.store import connect

MODELS = {  # by the share of training labels that were shuffled, and by seed
    "best": (0.0, 0),
    "good": (0.1, 1),
    "poor": (0.8, 0),
}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def store(synthetic_config, empty_database, tmp_path_factory):
    """The config of a store in which the models are measured. Six images in ten are test images."""
    config = copy.deepcopy(synthetic_config)
    folder = tmp_path_factory.mktemp("store")
    shutil.copyfile(empty_database, folder / "mlflow.db")
    config.tracking.uri = f"sqlite:///{folder}/mlflow.db"
    config.run.root = str(folder / "runs")
    config.evaluate.root = str(folder / "evaluations")
    config.evaluate.resamples = 200
    parts = config.data.parts
    parts.train, parts.validation, parts.calibration, parts.test = 0.2, 0.1, 0.1, 0.6
    parts.seed = 2
    return config


@pytest.fixture(scope="module")
def models(store):
    """The run id of each measured model. The poor one says which lesions it learned from."""
    prepared = prepare(store, Silent()).prepared
    learned = [prepared.samples[row].lesion_id for row in prepared.rows("train")]
    lesions = [prepared.manifest.lesion_key(lesion) for lesion in learned]
    found = {
        name: log(store, *how, lesions=lesions if name == "poor" else ())
        for name, how in MODELS.items()
    }
    for run_id in found.values():
        assert evaluate(store, run_id, Silent()).published
    return found


@pytest.fixture
def config(store):
    """A registry of its own in the store, and a policy that only sound models meet."""
    config = copy.deepcopy(store)
    config.registry.name = f"model-{next(_numbers)}"
    config.promotion = PromotionConfig(melanoma_sensitivity=0.8, subgroup_size=5)
    return config


def log(config, spoilt, seed, **words):
    """Log a model as that of a finished run, and return the run's id."""
    prepared = prepare(config, Silent()).prepared
    with recorded_run(config, f"{spoilt}-{seed}", "", None, Silent()) as recorder:
        folder = Path(config.run.root) / "bundles" / recorder.run_id
        words["run_id"] = recorder.run_id
        recorder.bundle(graded_bundle(folder, prepared, spoilt, seed, **words))
    return recorder.run_id


def aliases(config):
    return {alias: v.version for v in read_registry(config).versions for alias in v.aliases}


def unmet(result):
    return [check.name for check in result.verdict.checks if not check.ok]


def test_a_model_is_promoted_on_evidence_and_only_on_it(config, models):
    first = promote(config, models["good"], Silent())
    assert (first.version, first.before, first.promoted, unmet(first)) == ("1", None, True, [])
    better = promote(config, models["best"], Silent())
    assert (better.version, better.before, better.promoted) == ("2", "1", True)
    worse = promote(config, models["poor"], Silent())
    assert not worse.promoted
    assert "balanced accuracy not worse than the champion's" in unmet(worse)
    assert aliases(config) == {"champion": "2", "challenger": "3"}
    [compared] = [c for c in worse.verdict.checks if "balanced accuracy" in c.name]
    assert compared.value < compared.limit == -config.promotion.margin
    assert "version 2" in compared.found
    assert read_registry(config).version("2").metrics["balanced_accuracy"] > 0.8


def test_a_refused_challenger_that_is_promoted_later_is_no_challenger_any_more(config, models):
    config.promotion.max_ece = 0.001
    assert unmet(promote(config, models["best"], Silent())) == ["calibration error (ECE)"]
    assert aliases(config) == {"challenger": "1"}
    config.promotion.max_ece = 0.1
    uri = f"models:/{config.registry.name}@challenger"
    assert promote(config, uri, Silent()).promoted
    assert aliases(config) == {"champion": "1"}


def test_a_challenger_need_not_meet_the_gate_and_leaves_the_champion_alone(config, models):
    promote(config, models["best"], Silent())
    result = promote(config, models["poor"], Silent(), to="challenger")
    assert (result.promoted, result.forced, result.alias) == (True, False, "challenger")
    assert unmet(result)
    assert aliases(config) == {"champion": "1", "challenger": "2"}
    last = read_registry(config).history[-1].change
    assert (last.action, last.before, last.after) == ("challenge", None, "2")
    assert not all(check["ok"] for check in last.evidence["checks"])
    assert promote(config, models["good"], Silent(), to="challenger").version == "3"
    assert aliases(config) == {"champion": "1", "challenger": "3"}


def test_a_champion_stays_that_and_no_challenger_is_forced(config, models):
    promote(config, models["best"], Silent())
    again = promote(config, models["best"], Silent(), to="challenger")
    assert (again.held, again.dry_run) == (True, True)
    with pytest.raises(UsageError, match="no meaning with `--to challenger`"):
        promote(config, models["good"], Silent(), to="challenger", force=True, reason="so")
    assert aliases(config) == {"champion": "1"}


def test_unattended_moves_the_champion_only_where_the_policy_lets_it(config, models):
    left = promote(config, models["best"], Silent(), unattended=True)
    assert (left.promoted, left.left, left.dry_run, aliases(config)) == (True, True, True, {})
    config.promotion.automatic = True
    moved = promote(config, models["best"], Silent(), unattended=True)
    assert (moved.promoted, moved.left, aliases(config)) == (True, False, {"champion": "1"})
    assert not promote(config, models["poor"], Silent(), unattended=True).promoted
    assert aliases(config) == {"champion": "1", "challenger": "2"}
    for words in ({"to": "challenger"}, {"force": True, "reason": "so"}):
        with pytest.raises(UsageError, match="--unattended"):
            promote(config, models["good"], Silent(), unattended=True, **words)


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        ({"melanoma_sensitivity": 0.9}, "melanoma sensitivity at the operating point"),
        ({"max_ece": 0.05}, "calibration error (ECE)"),
        ({"subgroup_sensitivity": 0.99}, "malignant lesions caught in every subgroup"),
    ],
)
def test_every_floor_holds_for_the_first_champion_too(config, models, policy, name):
    for key, value in policy.items():
        setattr(config.promotion, key, value)
    result = promote(config, models["best"], Silent())
    assert unmet(result) == [name]
    [check] = [check for check in result.verdict.checks if check.name == name]
    assert check.limit == pytest.approx(next(iter(policy.values())))
    assert f"{check.value:.3f}" in check.found


def test_the_margin_is_held_against_the_lower_bound_not_the_difference(config, models):
    promote(config, models["best"], Silent())
    result = promote(config, models["good"], Silent(), dry_run=True)
    [seen] = [c for c in result.verdict.checks if c.name.startswith("balanced accuracy")]
    difference = float(re.search(r"([+-]\.?\d\S*) to version 1", seen.found)[1])
    assert seen.value < difference < 0
    config.promotion.margin = -(seen.value + difference) / 2
    assert not promote(config, models["good"], Silent(), dry_run=True).promoted
    config.promotion.margin = -seen.value + 0.001
    assert promote(config, models["good"], Silent(), dry_run=True).promoted


def test_force_needs_a_reason_and_is_recorded_with_it(config, models):
    promote(config, models["best"], Silent())
    with pytest.raises(UsageError, match="needs a reason"):
        promote(config, models["poor"], Silent(), force=True, reason="  ")
    forced = promote(config, models["poor"], Silent(), force=True, reason="a drill")
    assert (forced.version, forced.promoted, forced.forced) == ("2", True, True)
    last = read_registry(config).history[-1].change
    assert (last.reason, last.forced, last.before, last.after) == ("a drill", True, "1", "2")
    assert aliases(config) == {"champion": "2"}
    # Forcing what the gate lets through is no force.
    assert not promote(config, models["best"], Silent(), force=True, reason="sure").forced


def test_a_dry_run_registers_and_moves_nothing(config, models):
    dry = promote(config, models["best"], Silent(), dry_run=True)
    assert (dry.version, dry.promoted, dry.dry_run) == (None, True, True)
    config.promotion.max_ece = 0.001
    assert not promote(config, models["best"], Silent(), dry_run=True).promoted
    assert read_registry(config).versions == ()
    assert read_registry(config).history == ()


def test_the_history_says_who_when_from_to_on_what_evidence_and_config(config, models):
    promote(config, models["good"], Silent())
    promote(config, models["best"], Silent())
    promote(config, models["poor"], Silent())
    first, second, third = (entry.change for entry in read_registry(config).history)
    assert [c.action for c in (first, second, third)] == ["promote", "promote", "refuse"]
    assert [(c.alias, c.before, c.after) for c in (first, second, third)] == [
        ("champion", None, "1"), ("champion", "1", "2"), ("challenger", None, "3"),
    ]  # fmt: skip
    assert "@" in second.who
    assert second.when.startswith("20")
    assert second.evidence["test_uses"] >= len(models)
    names = {check["name"] for check in second.evidence["checks"]}
    assert {"bundle self-test", "calibration error (ECE)"} <= names
    assert first.config_sha256 == second.config_sha256
    config.promotion.margin = 0.2
    promote(config, models["good"], Silent())
    assert read_registry(config).history[-1].change.config_sha256 != first.config_sha256


@pytest.fixture(scope="module")
def later(models, store):
    """The config once the split is another one, and a model that was made for it, not measured."""
    config = copy.deepcopy(store)
    config.data.parts.seed = 5
    return config, log(config, 0, 0)


def test_a_champion_that_never_saw_the_new_split_is_measured_there_first(config, models, later):
    promote(config, models["good"], Silent())
    config.data, candidate = later[0].data, later[1]
    key = prepare(config, Silent()).prepared.manifest.test_fingerprint[:12]
    with pytest.raises(GateError, match="not measured on the current test split") as caught:
        promote(config, candidate, Silent(), force=True, reason="in a hurry")
    assert f"skincli evaluate {candidate}" in caught.value.hint
    evaluate(config, candidate, Silent())
    assert count_evaluated(config, key) == 1
    result = promote(config, candidate, Silent())
    assert (result.promoted, result.before) == (True, "1")
    assert (result.verdict.test_split, result.verdict.test_uses) == (key, 2)
    # Published like any other evaluation.
    client = connect(config.tracking)
    paths = client.list_artifacts(models["good"], "evaluation")
    assert len([item for item in paths if item.path.endswith(key)]) == 1
    # Whoever deletes a run has still looked at the test images.
    client.delete_run(models["good"])
    assert count_evaluated(config, key) == 2
    client.restore_run(models["good"])


def test_a_champion_that_learned_from_the_new_split_cannot_be_compared(config, models, later):
    promote(config, models["poor"], Silent(), force=True, reason="to begin with")
    config.data, candidate = later[0].data, later[1]
    result = promote(config, candidate, Silent())
    assert unmet(result) == ["measured on the same images as the champion"]
    assert any("lesions of that" in check.found for check in result.verdict.checks)
    assert aliases(config) == {"champion": "1", "challenger": "2"}


def test_a_lost_champion_can_be_replaced(config, models, tmp_path, monkeypatch):
    promote(config, models["good"], Silent())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    model_id = connect(config.tracking).get_run(models["good"]).outputs.model_outputs[0].model_id
    [stored] = Path(config.run.root).parent.rglob(f"mlartifacts/**/{model_id}")
    lost = stored.rename(tmp_path / "lost")
    with pytest.raises(SkincliError):
        resolve(config, f"models:/{config.registry.name}@champion")
    assert promote(config, models["best"], Silent()).version == "2"
    lost.rename(stored)


def test_another_task_cannot_replace_the_champion(config, models):
    promote(config, models["best"], Silent())
    prepared = prepare(config, Silent()).prepared
    with recorded_run(config, "binary", "", None, Silent()) as recorder:
        split, run_id = prepared.manifest.split_fingerprint, recorder.run_id
        folder = Path(config.run.root) / "bundles" / run_id
        recorder.bundle(tiny_bundle(folder, "binary", split_fingerprint=split, run_id=run_id))
    evaluate(config, run_id, Silent())
    result = promote(config, run_id, Silent())
    assert not result.promoted
    assert any("different tasks" in check.found for check in result.verdict.checks)


def test_a_model_of_an_official_split_is_never_promoted(config, tmp_path):
    bundle = tiny_bundle(tmp_path / "official", split="official")
    for words in ({}, {"force": True, "reason": "because"}):
        with pytest.raises(GateError, match=r"official split that may leak \(its parts leak\)"):
            promote(config, str(bundle.folder), Silent(), **words)


def test_a_bundle_that_fails_its_self_test_is_never_promoted(config, tmp_path):
    bundle = tiny_bundle(tmp_path / "broken")
    bundle.model.write_bytes(b"no network")
    spec = json.loads((bundle.folder / SPEC_FILE).read_text())
    spec["files"][MODEL_FILE] = file_sha256(bundle.model)
    (bundle.folder / SPEC_FILE).write_text(json.dumps(spec))
    with pytest.raises(GateError, match=r"not promoted: .* cannot be loaded"):
        promote(config, str(bundle.folder), Silent(), force=True, reason="because")


def test_rollback_undoes_and_undoes_again(config, models):
    with pytest.raises(ModelError, match="has no champion"):
        rollback(config)
    promote(config, models["good"], Silent())
    with pytest.raises(ModelError, match="no earlier champion"):
        rollback(config)
    promote(config, models["best"], Silent())
    assert not promote(config, models["poor"], Silent()).promoted
    assert rollback(config).version == "1"
    with pytest.raises(ModelError, match="no earlier champion"):
        rollback(config)
    assert rollback(config, "2").version == "2"
    with pytest.raises(ModelError, match="no version 7"):
        rollback(config, "7")
    with pytest.raises(GateError, match="never champion"):
        rollback(config, "3")
    moves = [(e.change.action, e.change.after) for e in read_registry(config).history]
    assert moves == [
        ("promote", "1"), ("promote", "2"), ("refuse", "3"), ("rollback", "1"), ("rollback", "2"),
    ]  # fmt: skip
    # Someone moves the alias by hand: back means before that version, not the newest one.
    client = connect(config.tracking)
    client.set_registered_model_alias(config.registry.name, "champion", "1")
    with pytest.raises(ModelError, match="no earlier champion"):
        rollback(config)
