import httpx
import pytest

from skincli.bench.fetching import bench_fetch
from skincli.bench.loopback import loopback_server, random_bytes
from skincli.config.schema import Config
from skincli.progress import Silent


def test_every_way_is_measured_beside_the_same_limit() -> None:
    result = bench_fetch(Config(), megabytes=2, rounds=1, progress=Silent())
    assert len(result.speeds) == 4
    limit = result.speeds[0].megabytes_per_second
    for speed in result.speeds:
        assert speed.megabytes_per_second > 0
        assert speed.ratio == pytest.approx(speed.megabytes_per_second / limit)


def test_the_server_sends_what_is_asked_for_and_ends() -> None:
    with loopback_server(1000) as port:
        url = f"http://127.0.0.1:{port}/x"
        whole = httpx.get(url, trust_env=False)
        rest = httpx.get(url, headers={"Range": "bytes=990-"}, trust_env=False)
        one = httpx.get(url, headers={"Range": "bytes=0-0"}, trust_env=False)
    assert (whole.status_code, whole.content) == (200, random_bytes(1000))
    assert (rest.status_code, rest.content) == (206, random_bytes(1000)[990:])
    assert one.headers["content-range"] == "bytes 0-0/1000"
