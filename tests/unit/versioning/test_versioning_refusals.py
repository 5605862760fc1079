"""What cannot be versioned, and where; each is said before anything is made."""

import copy

import pytest
from repositories import alone, bring_raw, drawn_config, git, new_repository

from skincli.errors import SkincliError, UsageError
from skincli.progress import Silent
from skincli.versioning.making import version
from skincli.versioning.remote import set_remote


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A repository without data."""
    with alone(tmp_path):
        repository = new_repository(tmp_path / "own")
        monkeypatch.chdir(repository)
        yield repository


@pytest.fixture
def config(synthetic_config):
    """It names a command that is there and can do nothing, so that nothing can be done."""
    return drawn_config(synthetic_config, "false")


def refused(config, words: str) -> SkincliError:
    with pytest.raises(SkincliError, match=words) as told:
        version(config, None, Silent())
    assert told.value.hint
    return told.value


def test_there_has_to_be_a_repository(config, tmp_path, monkeypatch):
    (tmp_path / "nowhere").mkdir()
    monkeypatch.chdir(tmp_path / "nowhere")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert "git init" in refused(config, "is in no git repository").hint


def test_there_has_to_be_git(config, place, monkeypatch):
    monkeypatch.setenv("PATH", str(place))
    refused(config, "there is no `git` command")


def test_there_has_to_be_dvc(config, place):
    config.versioning.dvc = "no-such-dvc"
    assert "uv tool install 'dvc[s3]'" in refused(config, "no `no-such-dvc` command").hint


def test_data_have_to_lie_in_the_repository(config, place, tmp_path):
    config.data.root = str(tmp_path / "elsewhere")
    refused(config, "lies outside the repository")


def test_there_have_to_be_data(config, place):
    assert "skincli data fetch" in refused(config, "there are no data").hint


def test_git_must_not_have_the_data(config, place, synthetic_config):
    bring_raw(synthetic_config, place)
    git(place, "add", "data")
    assert "git rm -r --cached data/synthetic/raw" in refused(config, "git keeps").hint


def test_git_must_not_ignore_the_pointers(config, place, synthetic_config):
    bring_raw(synthetic_config, place)
    (place / ".gitignore").write_text("/data/\n")
    refused(config, r"git ignores .*raw.dvc")


def test_what_dvc_complains_of_is_said(config, place, synthetic_config):
    bring_raw(synthetic_config, place)
    refused(config, "`dvc init` failed: exit code 1")


@pytest.mark.parametrize(
    ("where", "endpoint", "region", "words"),
    [
        ("s3://key:secret@bucket/prefix", None, None, "holds a user or password"),
        ("s3://bucket/prefix", "https://key:secret@example.org", None, "holds a user or password"),
        ("gs://bucket", None, None, "is no remote"),
        ("s3://", None, None, "is no remote"),
        ("s3://Bucket!/x", None, None, "is no remote"),
        ("s3://bucket", "example.org", None, "is no endpoint"),
        ("../store", "https://example.org", None, "a folder has no endpoint"),
        ("../store", None, "eu-central-1", "a folder has no endpoint"),
        ("store", None, None, "lies in the repository"),
        ("", None, None, "lies in the repository"),
        ("../no/such/place", None, None, "cannot be made"),
    ],
)
def test_a_remote_that_is_none_is_refused(config, place, where, endpoint, region, words):
    with pytest.raises(SkincliError, match=words) as told:
        set_remote(copy.deepcopy(config), where, endpoint, region)
    assert "secret" not in told.value.message + told.value.hint
    assert not (place / ".dvc").exists()


def test_a_remote_has_to_be_set_before_a_push(config, place):
    from skincli.versioning.transfer import push

    with pytest.raises(UsageError, match="has no version yet"):
        push(config, Silent())
