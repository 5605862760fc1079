"""Going on with a search: after its end, a Ctrl-C, a kill; and where it may not go on."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pretended import drawn, pretend, states

from skincli.errors import ConfigError, Interrupted, SkincliError
from skincli.progress import Silent
from skincli.tuning.opening import open_study
from skincli.tuning.ranges import read_ranges
from skincli.tuning.search import search


def test_a_search_goes_on_where_it_stopped_and_draws_as_if_it_had_not(config, run):
    config.tune.trials = 13  # beyond the first ten, which are random
    whole = run()
    config.tune.study, config.tune.trials = "halves", 6
    assert len(run()) == 6
    config.tune.trials = 13
    calls = []

    def counted(config, on_epoch):
        calls.append(config.run.name)
        return pretend(config, on_epoch)

    resumed = run(counted)
    assert len(calls) == 7
    assert drawn(resumed) == drawn(whole)
    assert run(counted) == resumed
    assert len(calls) == 7


def test_an_interrupted_trial_is_repeated_first_and_nothing_else_changes(config, run):
    whole = run()
    config.tune.study = "cut"
    seen = []

    def cut(config, on_epoch):
        seen.append(config.model.width)
        if len(seen) == 4:
            raise Interrupted(signal.SIGINT)
        return pretend(config, on_epoch)

    with pytest.raises(Interrupted):
        run(cut)
    assert "RUNNING" not in states()
    assert drawn(run(cut)) == drawn(whole)
    assert seen[3] == seen[4]


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from pretended import pretend
from skincli.config.load import load_config
from skincli.progress import Silent
from skincli.tuning.opening import open_study
from skincli.tuning.ranges import read_ranges
from skincli.tuning.search import Kept, search

config = load_config(file=Path("search.yaml")).config
count = 0
def dying(config, on_epoch):
    global count
    count += 1
    on_epoch(0, {config.tune.metric: 0.5})
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return pretend(config, on_epoch)
with open_study(config, read_ranges(config), {"made for": "this"}) as study:
    list(search(study, config, dying, Silent()))
"""


def test_a_trial_of_a_killed_process_is_repeated_first_and_nothing_else_changes(config, run):
    from skincli.config.load import to_yaml

    whole = run()
    config.tune.study = "killed"
    Path("search.yaml").write_text(to_yaml(config))
    command = [sys.executable, "-c", _KILLED, str(Path(__file__).parent)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert states().count("RUNNING") == 1
    assert drawn(run()) == drawn(whole)
    assert states().count("RUNNING") == 0


def test_a_study_is_searched_by_one_process_at_a_time(config, run):
    ranges = read_ranges(config)
    with open_study(config, ranges, {}) as study:
        next(search(study, config, pretend, Silent()))
        with pytest.raises(SkincliError, match="another process is searching study `lab`"):
            run()
        config.tune.study = "beside"
        assert len(run()) == 6


def test_a_study_that_was_made_for_something_else_is_refused_by_name(config, run):
    run()
    with pytest.raises(ConfigError, match="made for was 'this' and is 'that'") as caught:
        run(made_for="that")
    assert "tune.study=NAME" in caught.value.hint
    assert len(run()) == 6


def test_a_store_that_is_no_database_is_named(run):
    Path("tune.db").write_text("no database at all, but long enough to be taken for one" * 99)
    with pytest.raises(SkincliError, match=r"tune\.db` failed"):
        run()


def test_a_folder_that_cannot_be_written_is_named(config, run):
    config.tune.storage = "sqlite:////proc/tune.db"
    with pytest.raises(SkincliError, match="`/proc` cannot be written"):
        run()
