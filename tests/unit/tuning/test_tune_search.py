"""The search on a stand-in for training: learning, pruning, failures."""

import math

import pytest
from optuna.pruners import NopPruner
from pretended import drawn, figure, pretend, states

from skincli.errors import SkincliError, UsageError
from skincli.tuning.records import ranked
from skincli.tuning.search import Kept


def test_a_search_finds_good_values_within_its_ranges(config, run):
    config.tune.trials = 24
    records = run()
    assert len(records) == 24
    for record in records:
        assert 1e-4 <= record.values["optimizer.lr"] <= 1e-1
        assert type(record.values["model.width"]) is int
        assert 8 <= record.values["model.width"] <= 64
        assert record.values["data.crop"] in ("center", "whole")
    best = ranked(records)[0]
    assert best.value == max(r.value for r in records if r.state == "complete")
    assert best.value > 0.85
    assert best.run_id == f"tune-lab-{best.number:04d}"
    # The sampler learns: the later trials are better than the first ten, which are random.
    later = [r.value for r in ranked(records) if r.number >= 14]
    first = [r.value for r in ranked(records) if r.number < 10]
    assert sum(later) / len(later) > sum(first) / len(first)


def test_the_same_seed_draws_the_same_and_another_seed_another(config, run):
    first = run()
    config.tune.study = "again"
    assert drawn(run()) == drawn(first)
    config.tune.study, config.seed = "other", 1
    assert drawn(run())[0] != drawn(first)[0]


def test_a_trial_that_falls_behind_is_ended_early_but_no_early_one_is(config, run, monkeypatch):
    config.tune.trials = 16
    epochs: dict[str, int] = {}

    def counted(config, on_epoch):
        for epoch in range(config.trainer.max_epochs):
            epochs[config.run.name] = epoch + 1
            on_epoch(epoch, {config.tune.metric: figure(config) * (epoch + 1) / 3})
        return pretend(config, lambda *_: None)

    records = run(counted)
    pruned = [record for record in records if record.state == "pruned"]
    assert pruned
    assert all(record.number >= 5 for record in pruned)
    for record in pruned:
        # Not before a third of the epochs, nor after the last, when nothing is left to save.
        assert record.epochs == epochs[f"tune-lab-{record.number:04d}"] == 2
    monkeypatch.setattr("skincli.tuning.opening._pruner", lambda _: NopPruner())
    config.tune.study = "patient"
    assert all(record.state == "complete" for record in run())


def test_the_value_is_that_of_the_epoch_whose_weights_are_kept(config, run):
    def falling(config, on_epoch):
        for epoch, value in enumerate([0.2, 0.7, 0.4]):
            on_epoch(epoch, {config.tune.metric: value})
        return Kept("run", 2)

    config.tune.trials = 1
    assert run(falling)[0].value == 0.4


def test_a_trial_that_falls_behind_in_its_last_epoch_is_completed(config, run):
    def flagging(config, on_epoch):
        last = config.run.name.endswith("5")
        for epoch, value in enumerate([0.3, 0.5, 0.5] if last else [0.3, 0.4, 0.9]):
            on_epoch(epoch, {config.tune.metric: value})
        return Kept("run", 2)

    records = run(flagging)
    assert [record.value for record in records] == [0.9] * 5 + [0.5]
    assert {record.state for record in records} == {"complete"}


def test_a_trial_that_fails_is_counted_and_the_search_goes_on(config, run):
    def diverging(config, on_epoch):
        if config.optimizer.lr > 1e-2:
            raise SkincliError("the loss is not a finite number")
        return pretend(config, on_epoch)

    config.tune.trials = 10
    records = run(diverging)
    failed = [record for record in records if record.state == "failed"]
    assert len(records) == 10
    assert failed
    assert all(record.values["optimizer.lr"] > 1e-2 for record in failed)
    assert {record.reason for record in failed} == {"the loss is not a finite number"}
    assert ranked(records)[0].state == "complete"


def test_nothing_but_failures_ends_the_search(config, run):
    def broken(config, on_epoch):
        raise SkincliError("the disk is full")

    with pytest.raises(SkincliError, match="3 trials in a row failed, the last because the disk"):
        run(broken)


def test_a_mistake_of_the_user_ends_the_search_and_costs_no_trial(config, run):
    seen = []

    def refused(config, on_epoch):
        seen.append(config.optimizer.lr)
        raise UsageError("no data")

    for _ in range(2):
        with pytest.raises(UsageError, match="no data"):
            run(refused)
        assert "RUNNING" not in states()
    assert seen[0] == seen[1]
    assert len(run()) == 6


def test_a_figure_that_the_validation_part_does_not_define_ends_the_search(config, run):
    def undefined(config, on_epoch):
        on_epoch(0, {config.tune.metric: math.nan})

    with pytest.raises(UsageError, match="does not define validation_macro_auroc"):
        run(undefined)
