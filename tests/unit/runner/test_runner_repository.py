import subprocess

import pytest

from skincli.runner.repository import find_repository, https_address

ADDRESS = "https://github.com/anna/lesions"


@pytest.mark.parametrize(
    "remote",
    [
        "git@github.com:anna/lesions.git",
        "git@github.com:anna/lesions",
        "ssh://git@github.com/anna/lesions.git",
        "ssh://git@github.com:22/anna/lesions.git",
        "ssh://git@ssh.github.com:443/anna/lesions.git",
        "https://github.com/anna/lesions.git",
        "https://github.com/anna/lesions/",
        ADDRESS,
    ],
)
def test_remotes_become_https(remote):
    assert https_address(remote) == ADDRESS


@pytest.mark.parametrize(
    "remote",
    [
        "http://github.com/anna/lesions",
        "https://github.com/anna",
        "https://github.com/anna/lesions/tree/main",
        "https://github.com/anna/lesions?token=x",
        "file:///srv/lesions.git",
        "/srv/lesions.git",
        "../lesions",
        "",
    ],
)
def test_what_is_no_repository_is_refused(remote, docker):
    check, url = find_repository(remote, docker.environ)
    assert (check.level, url) == ("failure", None)
    assert "runner.repo" in check.mend


def test_credentials_are_refused_and_masked(docker):
    check, url = find_repository("https://anna:ghp_secret@github.com/anna/lesions", {})
    assert (check.level, url) == ("failure", None)
    assert "credentials" in check.found
    assert "ghp_secret" not in repr(check)


def test_the_origin_is_the_default(docker):
    for command in ("init --quiet", "remote add origin git@github.com:anna/lesions.git"):
        subprocess.run(["git", *command.split()], check=True)
    check, url = find_repository(None, docker.environ)
    assert check.ok
    assert url == ADDRESS


def test_no_origin_is_said(docker):
    check, url = find_repository(None, docker.environ)
    assert url is None
    assert "not a git repository" in check.found


def test_no_git_is_said(docker):
    docker.remove("git")
    check, _ = find_repository(None, docker.environ)
    assert "there is no `git` command" in check.found
