"""Ten minutes of everything at once leave the server as it was.

`SKINCLI_LOAD_SECONDS` says how long instead.
"""

import os
import signal
import sys
from pathlib import Path

import pytest
from crowd import Crowd, settled
from live import PATIENCE
from service import service

from skincli.bundle import Bundle

SECONDS = float(os.environ.get("SKINCLI_LOAD_SECONDS", "600"))
WARM_UP = min(90.0, SECONDS / 3)
# All processes together, beside what they had after the warm-up: what allocators keep of images.
GROWTH = 120e6


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 600)
def test_mixed_load_leaves_the_server_as_it_was(bundle: Bundle, tmp_path: Path) -> None:
    with service(bundle.folder, tmp_path, "serve.limits.receive_seconds=5") as served:
        crowd = Crowd(served)
        crowd.come(WARM_UP)
        processes, before = served.processes(), settled(served.resident)
        descriptors, threads = settled(served.descriptors, 1), settled(served.threads, 1)
        crowd.come(SECONDS - WARM_UP)
        after = settled(served.resident)
        sys.stdout.write(f"{before / 1e6:.0f} MB, then {after / 1e6:.0f} MB; {crowd.statuses}\n")
        assert not crowd.wrong, crowd.wrong[:5]
        assert served.processes() == processes
        assert len(processes) == 2
        assert after < before + GROWTH, (before, after)
        assert settled(served.descriptors, 1) <= descriptors + 5
        assert settled(served.threads, 1) <= threads + 2
        assert crowd.statuses["predict 200"] > SECONDS
        assert crowd.statuses["hostile 200"] > 0
        assert crowd.statuses["feedback 201"] > 0
        served.supervisor.send_signal(signal.SIGTERM)
        assert served.supervisor.wait(PATIENCE) == 0
