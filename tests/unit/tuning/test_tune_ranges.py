"""Ranges: what may be named, how it is read, and what is refused before any work."""

import pytest

from skincli.config.load import KEYS, load_config
from skincli.config.schema import Config
from skincli.errors import ConfigError
from skincli.tuning.ranges import TUNABLE, Choice, Span, extremes, read_ranges


def ranges_of(*texts: str, **sections: object) -> tuple:
    config = Config(**sections)
    config.tune.ranges = list(texts)
    return read_ranges(config)


def test_ranges_are_read_as_numbers_or_choices():
    found = ranges_of(
        "optimizer.lr log 1e-4 1e-2",
        "augment.mixup 0 0.5",
        "model.width log 16 64",
        "model.backbone one of resnet18 resnet50",
        "data.batch_size one of 32 64",
    )
    assert found == (
        Span("optimizer.lr", 1e-4, 1e-2, log=True),
        Span("augment.mixup", 0.0, 0.5, log=False),
        Span("model.width", 16, 64, log=True),
        Choice("model.backbone", ("resnet18", "resnet50")),
        Choice("data.batch_size", ("32", "64")),
    )
    assert [type(each.low) for each in found[:3]] == [float, float, int]


def test_ranges_come_from_the_command_line_and_from_the_shipped_group(tmp_path):
    text = "tune.ranges=[optimizer.lr log 1e-4 1e-2, data.crop one of center whole]"
    config = load_config([text], folder=tmp_path, environ={}).config
    assert len(read_ranges(config)) == 2
    shipped = load_config(["experiment=cpu", "tune=recipe"], folder=tmp_path, environ={}).config
    assert len(read_ranges(shipped)) > 3
    replaced = load_config(["tune=recipe", text], folder=tmp_path, environ={}).config
    assert replaced.tune.ranges == config.tune.ranges


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "unknown key ``", ""),
        ("optimizer.rl 0 1", "unknown key `optimizer.rl`", "optimizer.lr"),
        ("optimizer.lr", "`optimizer.lr` is not a range", "KEY LOW HIGH"),
        ("optimizer.lr 0.1", "is not a range", "KEY log LOW HIGH"),
        ("optimizer.lr lin 0.1 0.2", "is not a range", "KEY one of A B C"),
        ("data.crop one of center", "is not a range", ""),
        ("data.crop one of center center", "is not a range", ""),
        ("optimizer.lr high low", "`optimizer.lr` needs numbers, not high low", ""),
        ("optimizer.lr 0.1 0.1", "`optimizer.lr` must go from low to high", ""),
        ("optimizer.lr 0.2 0.1", "must go from low to high", ""),
        ("optimizer.lr 0.2 inf", "must go from low to high", ""),
        ("optimizer.lr 0.2 nan", "must go from low to high", ""),
        ("augment.mixup log 0 0.5", "`augment.mixup` cannot go down to 0 on a log scale", ""),
        ("model.width 16.5 64", "`model.width` needs whole numbers", ""),
        ("data.crop 0 1", "`data.crop` is no number", "one of"),
        ("model.pretrained 0 1", "`model.pretrained` is no number", "one of"),
        ("model.width 2 64", r"model.width must be between 4 and 512 \(set by tune.ranges\)", ""),
        ("model.dropout 0 1", "model.dropout must be between 0 and 1", ""),
        ("data.crop one of center round", "`data.crop` cannot be 'round'", ""),
        ("data.batch_size one of 64 many", "`data.batch_size` cannot be 'many'", ""),
        ("seed 0 9", "`seed` is nothing to search", "model"),
        ("trainer.max_epochs 2 9", "`trainer.max_epochs` is nothing to search", "how long"),
        ("data.parts.seed 0 9", "`data.parts.seed` is nothing to search", "on what"),
        ("tune.trials 2 9", "`tune.trials` is nothing to search", ""),
    ],
)
def test_a_wrong_range_is_refused_naming_the_key(text, message, hint):
    with pytest.raises(ConfigError, match=message) as caught:
        ranges_of(text)
    assert hint in caught.value.hint


def test_ends_that_break_a_rule_only_together_are_refused():
    with pytest.raises(ConfigError, match=r"augment.mixup \+ augment.cutmix must be at most 1"):
        ranges_of("augment.mixup 0 0.6", "augment.cutmix 0 0.6")
    assert ranges_of("augment.mixup 0 0.6", "augment.cutmix 0 0.4")


def test_a_key_is_searched_once_and_something_is_searched():
    with pytest.raises(ConfigError, match=r"names `model.width` twice"):
        ranges_of("model.width 8 16", "model.width 32 64")
    with pytest.raises(ConfigError, match="nothing is named") as caught:
        ranges_of()
    assert "tune=recipe" in caught.value.hint


def test_every_end_is_composed_alone_and_all_together():
    config = Config()
    ranges = (Span("model.width", 8, 64, log=False), Choice("data.crop", ("center", "whole")))
    composed = [(c.model.width, c.data.crop) for c in extremes(config, ranges)]
    assert composed == [
        (8, "center"),
        (64, "center"),
        (32, "center"),
        (32, "whole"),
        (8, "center"),
        (64, "whole"),
    ]
    assert config == Config()


def test_what_is_measured_on_is_nothing_to_search():
    assert set(TUNABLE) < set(KEYS)
    assert not [key for key in TUNABLE if key.startswith(("data.parts", "data.fold", "trainer"))]
    with pytest.raises(ConfigError, match="expected one of"):
        load_config(["tune.metric=test_macro_auroc"], environ={})
