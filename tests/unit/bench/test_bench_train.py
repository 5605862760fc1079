"""The benchmark measures what it says; how fast this machine is does not matter here."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import skincli
from PIL import Image

from skincli.bench.images import drawn_jpegs
from skincli.bench.records import BackboneBench, TrainBench, TrainGrowth, WaySpeed
from skincli.bench.train_chart import train_chart
from skincli.bench.training.conventional import conventional_loader, ending_workers
from skincli.bench.training.growth import measure_growth
from skincli.bench.training.measuring import bench_train
from skincli.bench.training.pipeline import run_pipeline
from skincli.bench.training.step import BareStep, random_batch
from skincli.bench.training.subject import MOST_TIMES, lay_out_jpegs, pack_jpegs
from skincli.config.schema import Config
from skincli.errors import ConfigError, SkincliError
from skincli.imaging import Limits, read_input
from skincli.progress import Silent
from skincli.training.fit import train_batches
from skincli.training.input.cache import DeviceCache

CPU = torch.device("cpu")
# More threads would only wait for each other beside the other tests.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def config() -> Config:
    config = Config()
    config.data.image_size = 32
    config.data.batch_size = 2
    config.model.backbone = "small_resnet"
    config.model.pretrained = False
    config.model.width = 4
    config.trainer.accelerator = "cpu"
    return config


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return drawn_jpegs(3)


@pytest.fixture
def jpegs(files, tmp_path) -> Path:
    return lay_out_jpegs(tmp_path, files, "multiclass")


@pytest.mark.slow
def test_the_command_measures_every_way_and_size_and_draws_a_chart(files, tmp_path):
    for number, data in enumerate(files):
        (tmp_path / f"{number}.jpg").write_bytes(data)
    names = [f"{number}.jpg" for number in range(len(files))]
    options = ["--backbones", "small_resnet, resnet18", "--steps", "2", "--rounds", "2"]
    settings = ["data.image_size=160", "data.batch_size=4", "model.width=16", "augment.mixup=0.5"]
    chart = ["--chart", "chart.png", "--json"]
    words = [*names, *options, *chart, *settings, "trainer.accelerator=cpu"]
    done = skincli(tmp_path, "bench", "train", *words, **ONE_THREAD)
    assert done.err == ""
    result = done.data

    assert (result["n_images"], result["synthetic"], result["steps"]) == (3, False, 2)
    assert (result["image_size"], result["batch_size"]) == (160, 4)
    assert (result["precision"], result["channels_last"]) == ("32-true", True)
    assert (result["augment"]["mixup"], result["augment"]["cutmix"]) == (0.5, 0.0)
    assert [b["backbone"] for b in result["backbones"]] == ["small_resnet", "resnet18"]
    assert 11e6 < result["backbones"][1]["parameters"] < 12e6
    for backbone in result["backbones"]:
        limit = backbone["limit"]["images_per_second"]
        assert limit > 0
        for way in ("limit", "pipeline", "conventional", "other_layout"):
            speed = backbone[way]["images_per_second"]
            assert backbone[way]["ratio"] == pytest.approx(speed / limit)
    growth = result["growth"]
    assert [g["n_images"] for g in growth] == [32, 128, 512]
    for size in growth:
        assert size["images_per_second"] == pytest.approx(size["n_images"] / size["seconds"])
        assert size["device_megabytes"] is None
    largest = growth[-1]["n_images"] * 160 * 160 * 3 / 1e6
    assert growth[-1]["peak_megabytes"] - growth[0]["peak_megabytes"] < largest / 3
    with Image.open(tmp_path / "chart.png") as image:
        assert image.format == "PNG"
    assert sorted(p.name for p in tmp_path.iterdir()) == [*names, "chart.png"]


def test_a_backbone_that_there_is_not_is_refused_before_any_work(tmp_path):
    done = skincli(tmp_path, "bench", "train", "--backbones", "resnet18,resnet5", "--json", code=2)
    assert done.out == ""
    assert "resnet5" in done.err
    assert "resnet50" in done.err


def test_a_chart_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    done = skincli(tmp_path, "bench", "train", "--chart", "nowhere/chart.png", code=2)
    assert "nowhere" in done.err


@pytest.mark.parametrize(("setting", "value"), [("devices", 2), ("mode", "probe")])
def test_what_takes_no_plain_steps_on_one_device_is_refused(config, setting, value):
    setattr(config.train if setting == "mode" else config.trainer, setting, value)
    with pytest.raises(ConfigError, match=r"one device|probe"):
        bench_train(config, [], ["small_resnet"], 1, 1, 1, Silent())


def test_the_bare_step_learns_what_the_pipeline_learns(config, jpegs, tmp_path):
    """The same batches leave the same weights: both ways do the same work."""
    config.model.dropout = 0.0
    config.optimizer.lr = 0.01
    config.trainer.max_epochs = 2
    pack = pack_jpegs(tmp_path, jpegs, config, Silent())
    images = pack.images(8, config.task, DeviceCache(CPU, None))
    seconds: list[float] = []
    run_pipeline(config, images, 1, tmp_path, seconds.append)
    assert len(seconds) == 1
    theirs = torch.load(tmp_path / "last.ckpt", weights_only=False)["current_model_state"]

    batches = train_batches(config, images, rank=0)
    bare = BareStep(config, images.labels, len(batches), CPU)
    for epoch in range(config.trainer.max_epochs):
        batches.epoch = epoch
        for batch in batches:
            bare(batch)
    for name, ours in bare.module.state_dict().items():
        torch.testing.assert_close(ours, theirs[name], msg=name)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_bare_step_learns_in_every_precision(config, precision):
    config.trainer.precision = precision
    config.optimizer.lr = 0.01
    bare = BareStep(config, np.arange(100) % 7, 50, CPU)
    batch = random_batch(config, CPU)

    def loss() -> float:
        return bare.module.training_step(batch, 0).item()

    before = loss()
    for _ in range(30):
        bare(batch)
    assert loss() < before


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_random_batch_is_what_comes_out_of_the_augmentation(
    config, channels_last, jpegs, tmp_path
):
    config.trainer.channels_last = channels_last
    pack = pack_jpegs(tmp_path, jpegs, config, Silent())
    images = pack.images(4, config.task, DeviceCache(CPU, None))
    for real, drawn in zip(
        next(iter(train_batches(config, images, rank=0))), random_batch(config, CPU), strict=True
    ):
        assert (drawn.shape, drawn.dtype) == (real.shape, real.dtype)
        assert drawn.stride() == real.stride()
        assert 0 <= drawn.min() <= drawn.max() <= 1


def test_the_pack_repeats_the_images_of_data_prepare(config, files, jpegs, tmp_path):
    config.data.batch_size = 3
    pack = pack_jpegs(tmp_path, jpegs, config, Silent())
    assert pack.n_images == 24
    count = MOST_TIMES * pack.n_images
    packed = pack.images(count, config.task, DeviceCache(CPU, None)).packed
    assert sum(packed.verify_all()) == len(packed) == count
    limits = Limits.of(config.image)
    # The store sorts by name, and files were numbered in order.
    once = np.stack([read_input(data, 32, config.data.crop, limits) for data in files])
    assert (packed[np.arange(count)] == once[np.arange(count) % 3]).all()


def test_more_images_than_the_pack_holds_start_again(config, jpegs, tmp_path):
    pack = pack_jpegs(tmp_path, jpegs, config, Silent())
    held = MOST_TIMES * pack.n_images
    images = pack.images(held + 2, config.task, DeviceCache(CPU, None))
    assert images.rows[-2:].tolist() == [0, 1]


# Workers are forked, as DataLoader does, which Python 3.12 and later warn of.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_the_conventional_pipeline_gives_as_many_batches_as_a_round_has(config, jpegs):
    loader = conventional_loader(config, jpegs, 5, CPU)
    with ending_workers(loader):
        batches = list(loader)
        assert len(multiprocessing.active_children()) >= 1
    assert not multiprocessing.active_children()
    assert len(batches) == 5
    for images, labels in batches:
        assert (images.shape, images.dtype) == ((2, 3, 32, 32), torch.float32)
        assert labels.shape == (2,)
    # Normalised: a batch alone may be of bright skin only.
    assert min(images.min() for images, _ in batches) < 0


@pytest.mark.slow
def test_what_goes_wrong_in_a_growing_process_is_told(config, jpegs, tmp_path):
    pack = pack_jpegs(tmp_path, jpegs, config, Silent())
    config.optimizer.lr = 1e30
    with Silent().step("", 0) as step:
        with pytest.raises(SkincliError, match="not a finite number"):
            measure_growth(config, pack, tmp_path, step)
        gone = replace(pack, file=tmp_path / "gone.npy")
        with pytest.raises(SkincliError, match="ended with code 1"):
            measure_growth(config, gone, tmp_path, step)


@pytest.mark.parametrize("n_backbones", [1, 6])
@pytest.mark.parametrize("gpu", [None, 4321.0])
def test_the_chart_is_as_wide_as_its_bars_need(n_backbones, gpu, tmp_path):
    chart = tmp_path / "chart.png"
    train_chart(bench_of(n_backbones, gpu), chart)
    with Image.open(chart) as image:
        assert image.format == "PNG"
        width, height = image.size
        assert 450 < height < 700
        assert 1000 < width < 2600
        assert len(image.convert("RGB").getcolors(1 << 20)) > 20


def bench_of(n_backbones: int, gpu: float | None) -> TrainBench:
    ways = [WaySpeed(speed, speed / 9000) for speed in (9000.0, 8700.0, 2000.0, 6000.0)]
    names = ["resnet18", "resnet50", "convnext_tiny", "efficientnet_b0", "densenet121", "resnet34"]
    return TrainBench(
        device="NVIDIA H200 (cuda)",
        precision="bf16-mixed",
        channels_last=True,
        compile=False,
        synthetic=True,
        n_images=64,
        mean_kilobytes=270.0,
        image_size=224,
        batch_size=64,
        augment={"rotation": 180.0},
        rounds=5,
        steps=100,
        backbones=tuple(BackboneBench(name, 11_000_000, *ways) for name in names[:n_backbones]),
        growth=tuple(
            TrainGrowth(factor, 512 * factor, factor / 17, 8700.0, 1234.0, gpu)
            for factor in (1, 4, 16)
        ),
    )
