"""Where pixels come from: kept when they fit, else from the map; threads that end; flat memory."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from packs import labelled, only, write_pack

from skincli.bench.memory import watched_memory
from skincli.config.training import AugmentConfig
from skincli.data.packing.packed import PackedImages
from skincli.errors import DataError
from skincli.training.input.ahead import ahead
from skincli.training.input.batches import TrainBatches
from skincli.training.input.cache import DeviceCache
from skincli.training.input.sources import Mapped, Resident, Streamed

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path)


def threads_at_work():
    return [t for t in threading.enumerate() if t.name.startswith("batches-ahead")]


def test_images_are_kept_when_the_cache_has_room_for_them(pack):
    size_gb = 40 * 8 * 8 * 3 / 1e9
    assert isinstance(labelled(pack, cache_gb=size_gb * 1.01).source, Resident)
    assert isinstance(labelled(pack, cache_gb=size_gb * 0.99).source, Mapped)
    assert isinstance(labelled(pack, cache_gb=0).source, Mapped)
    assert isinstance(labelled(pack, cache_gb=None).source, Mapped)


def test_a_limit_holds_for_all_parts_together():
    shared = DeviceCache(torch.device("cpu"), 100e-9)
    assert [shared.take(size) for size in (60, 60, 40, 1)] == [True, False, True, False]


def test_without_a_limit_a_gpu_keeps_what_its_free_memory_allows(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (int(20e9), int(24e9)))
    cache = DeviceCache(torch.device("cuda"), None)
    assert [cache.take(int(size)) for size in (9.9e9, 10.1e9)] == [True, False]


@pytest.mark.parametrize("cache_gb", [0.0, 1.0])
def test_kept_and_mapped_images_are_the_same(pack, cache_gb):
    rows = np.arange(40)[::-1][:23]
    order = np.random.default_rng(0).permutation(23)
    found = list(labelled(pack, rows, cache_gb).source.batches(order, 5))
    assert [len(batch) for batch in found] == [5, 5, 5, 5, 3]
    assert torch.equal(torch.cat(found), torch.from_numpy(pack[rows[order]]))


def test_nothing_is_read_before_the_first_batch(pack):
    damaged = PackedImages(pack.path, [0])
    batches = TrainBatches(labelled(damaged), AugmentConfig(), 40, 5, 0)
    with pytest.raises(DataError, match="damaged"):
        next(iter(batches))


def test_work_is_done_ahead_and_handed_out_in_order():
    begun = []

    def work(item):
        begun.append(item)
        return item * 2

    results = ahead(work, range(50), depth=3, threads=2)
    assert next(results) == 0
    until = time.monotonic() + 10
    while len(begun) < 4 and time.monotonic() < until:  # nobody has to ask
        time.sleep(0.001)
    assert sorted(begun) == [0, 1, 2, 3]
    assert list(results) == [2 * item for item in range(1, 50)]
    assert threads_at_work() == []


def test_an_exception_in_the_thread_is_raised_where_its_batch_was_due(pack):
    damaged = PackedImages(pack.path, [0])
    batches = ahead(lambda rows: damaged[rows], [np.arange(3)] * 9, depth=3, threads=2)
    with pytest.raises(DataError, match="damaged"):
        next(batches)
    assert threads_at_work() == []


def test_leaving_early_ends_the_threads(pack):
    batches = ahead(lambda rows: pack[rows], [np.arange(3)] * 1000, depth=3, threads=2)
    next(batches)
    assert threads_at_work()
    del batches
    assert threads_at_work() == []


def test_memory_stays_flat_however_many_images_stream_by(tmp_path):
    pack = write_pack(tmp_path, n=128, size=128)

    def growth(times, cache_gb=0.0):
        rows = np.tile(np.arange(128), times)
        images = replace(labelled(pack, rows, cache_gb), labels=rows % 7)
        batches = TrainBatches(images, only(horizontal_flip=0.5), 7, 16, seed=0)
        with watched_memory() as peak:
            before = peak.bytes
            for _ in batches:
                pass
        return peak.bytes - before

    growth(4)  # the allocator and torch's threads settle
    all_images = 16 * pack.shape[0] * 128 * 128 * 3
    assert max(growth(times) for times in (1, 4, 16)) < all_images / 4
    assert growth(16, cache_gb=1.0) > all_images * 0.7  # what it would be


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("cache_gb", [0.0, None])
def test_a_gpu_gets_the_same_batches_kept_or_streamed(tmp_path, cache_gb):
    pack = write_pack(tmp_path, n=256, size=32)
    images = labelled(pack, cache_gb=cache_gb, device="cuda")
    assert isinstance(images.source, Resident if cache_gb is None else Streamed)
    augmentation = AugmentConfig(erasing=0.3, mixup=0.3, cutmix=0.3)
    found = list(TrainBatches(images, augmentation, 256, 16, seed=0))
    expected = list(TrainBatches(labelled(pack), augmentation, 256, 16, seed=0))
    for (images, targets), (on_cpu, targets_on_cpu) in zip(found, expected, strict=True):
        torch.testing.assert_close(images.cpu(), on_cpu, atol=1e-3, rtol=0)
        assert torch.equal(targets.cpu(), targets_on_cpu)
    assert threads_at_work() == []


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("cache_gb", [0.0, None])
def test_no_step_waits_for_the_gpu(tmp_path, cache_gb):
    images = labelled(write_pack(tmp_path, n=256, size=32), cache_gb=cache_gb, device="cuda")
    augmentation = AugmentConfig(erasing=0.3, mixup=0.3, cutmix=0.3)
    batches = iter(TrainBatches(images, augmentation, 256, 16, seed=0))
    next(batches)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for batch, _ in batches:
            batch.sum()
    finally:
        torch.cuda.set_sync_debug_mode("default")
