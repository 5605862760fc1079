"""The token: what is one, and where it must not be seen."""

import pytest

from skincli.config.automation import RunnerConfig
from skincli.config.schema import Config
from skincli.runner.access import find_access
from skincli.runner.token import masked, token, without_tokens


@pytest.mark.parametrize("value", ["", "two words", "a\nPATH=/tmp", "tökén"])
def test_an_impossible_token_is_a_failure_that_tells_where_cml_looks(value):
    check = token({"REPO_TOKEN": value} if value else {"GITHUB_TOKEN": "x"})
    assert check.level == "failure"
    assert "REPO_TOKEN, repo_token, GITHUB_TOKEN in this order" in check.mend
    assert value == "" or value not in repr(check)


def test_programs_of_this_machine_get_no_token_of_any_name():
    environ = {"REPO_TOKEN": "a", "repo_token": "b", "GITHUB_TOKEN": "c", "PATH": "/bin"}
    assert without_tokens(environ | {"GH_TOKEN": "a"}) == {"PATH": "/bin"}
    assert without_tokens({"REPO_TOKEN": "", "EMPTY": ""}) == {"EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("REPO_TOKEN=secret in", "REPO_TOKEN=*** in"),
        ("a ghp_0123456789abcdefABCD b", "a *** b"),
        ("github_pat_0123456789abcdef_x", "***"),
        ("config.sh --token AREGISTRATION --url u", "config.sh --token *** --url u"),
        (
            "Command failed: config.sh,--token,AREG,--url,u",
            "Command failed: config.sh,--token,***,--url,u",
        ),
        ('"--token=AREG" "--url"', '"--token=***" "--url"'),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_what_looks_like_a_token_is_masked(text, shown):
    assert masked(text, "secret") == shown


def test_without_a_token_nothing_else_is_masked():
    assert masked("plain text", "") == "plain text"


def test_what_the_verbs_work_with_tells_no_token(docker):
    secret = "ghp_0123456789abcdefghij"
    config = Config(runner=RunnerConfig(repo="https://github.com/anna/lesions"))
    access = find_access(config, docker.environ | {"REPO_TOKEN": secret, "GH_TOKEN": secret})
    assert access.token == secret
    assert secret not in repr(access)
