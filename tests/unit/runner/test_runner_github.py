"""The client of GitHub's API against a stand-in that refuses and fails as GitHub does."""

import pytest
from standins.faults import EMPTY, PAGE, answers, stall
from standins.github import GitHubStandIn, Repo, Token

from skincli.errors import ConfigError, UsageError
from skincli.patience import Patience
from skincli.runner import github_api
from skincli.runner.github import GitHub, GitHubError, api_of

REPOSITORY = "lab/skin"
URL = f"https://github.com/{REPOSITORY}"
TOKEN = "ghp_0123456789abcdef"
QUICK = Patience(first=0.01, longest=0.02, longest_asked=2.0)


@pytest.fixture
def github():
    with GitHubStandIn({REPOSITORY: Repo()}, {TOKEN: Token()}) as stand_in:
        yield stand_in


def client_of(stand_in, token=TOKEN, url=URL):
    return GitHub(stand_in.url, url, token, QUICK)


def refused(ask):
    with pytest.raises(GitHubError) as caught:
        ask()
    assert TOKEN not in repr(caught.value) + caught.value.message + caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("url", "configured", "api"),
    [
        (URL, None, "https://api.github.com"),
        ("https://git.lab.org/a/b", None, "https://git.lab.org/api/v3"),
        ("https://git.lab.org:8443/a/b", None, "https://git.lab.org:8443/api/v3"),
        ("https://lab.ghe.com/a/b", None, "https://api.lab.ghe.com"),
        (URL, "http://127.0.0.1:99/", "http://127.0.0.1:99"),
    ],
)
def test_the_api_follows_from_the_host_unless_it_is_configured(url, configured, api):
    assert api_of(url, configured) == api


def test_what_a_repository_is(github):
    found = client_of(github).repository()
    assert (found.full_name, found.private, found.url) == (REPOSITORY, True, URL)
    github.repositories[REPOSITORY].private = False
    assert not client_of(github).repository().private
    (asked, _) = github.asked
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["accept"] == "application/vnd.github+json"
    assert asked.headers["x-github-api-version"] == "2022-11-28"


def test_runners_of_all_pages_are_listed_once(github):
    client = client_of(github)
    assert client.runners() == ()
    for number in range(201):
        github.register(REPOSITORY, f"box-{number}", ["self-hosted", "cml-gpu"])
    found = client.runners()
    assert [runner.name for runner in found] == [f"box-{number}" for number in range(201)]
    assert (found[7].online, found[7].busy, found[7].os) == (True, False, "linux")
    assert found[7].labels == ("self-hosted", "cml-gpu")
    assert len(github.of("runners")) == 1 + 3


def test_a_token_that_may_administer_runners_passes(github):
    client_of(github).check_rights()
    assert [asked.status for asked in github.of("rights")] == [201]


@pytest.mark.parametrize(
    ("token", "status", "hint"),
    [
        (Token("read"), 403, "Administration: read and write"),
        (Token("read", scopes="repo, workflow"), 403, "must administer the repository"),
        (Token("read", scopes="workflow"), 404, "this one has workflow"),
        (Token("read", scopes=""), 404, "scope `repo`"),
        (Token("none"), 404, "spelling of `runner.repo`"),
        (Token("none", scopes="gist"), 404, "this one has gist"),
        (Token("none", scopes="repo"), 404, "who made it must administer"),
        (
            Token(sso="required; url=https://github.com/orgs/lab/sso"),
            403,
            "github.com/orgs/lab/sso",
        ),
        (Token(sso="partial-results; organizations=1"), 403, "single sign-on"),
    ],
)
def test_a_token_without_the_right_is_told_its_own_mend(github, token, status, hint):
    github.tokens[TOKEN] = token
    error = refused(client_of(github).check_rights)
    assert (error.status, error.transient, error.exit_code) == (status, False, 1)
    assert hint in error.hint


def test_a_token_that_github_does_not_know(github):
    error = refused(client_of(github, "github_pat_expired").check_rights)
    assert (error.status, error.reason) == (401, "Bad credentials")
    assert "expired" in error.hint
    assert len(github.asked) == 1, "asking again cannot help"


@pytest.mark.parametrize("token", ["", "two words", f"{TOKEN}\r\nX-Other: 1", "tökén"])
def test_a_token_that_no_header_can_carry_is_not_repeated(github, token):
    with pytest.raises(ConfigError) as caught:
        client_of(github, token)
    assert TOKEN not in caught.value.message
    assert github.asked == []


def test_a_configuration_for_one_job(github):
    labels = ["self-hosted", "Linux", "X64", "cml-gpu"]
    made = client_of(github).just_in_time("box-1", labels)
    runner = github.repositories[REPOSITORY].runners[made.runner_id]
    assert (runner.name, runner.labels, runner.ephemeral) == ("box-1", labels, True)
    assert made.encoded == runner.encoded
    assert made.encoded not in repr(made)


def test_a_name_that_is_taken(github):
    client = client_of(github)
    client.just_in_time("box-1", ["self-hosted"])
    error = refused(lambda: client.just_in_time("box-1", ["self-hosted"]))
    assert (error.status, error.transient) == (409, False)
    assert "already exists" in error.message


def test_a_runner_is_removed_once_and_being_gone_is_fine(github):
    client = client_of(github)
    made = client.just_in_time("box-1", ["self-hosted"])
    client.remove(made.runner_id)
    client.remove(made.runner_id)
    assert client.runners() == ()
    assert [asked.status for asked in github.of("remove")] == [204, 404]


def test_a_busy_runner_stays(github):
    client = client_of(github)
    made = client.just_in_time("box-1", ["self-hosted"])
    github.repositories[REPOSITORY].runners[made.runner_id].busy = True
    error = refused(lambda: client.remove(made.runner_id))
    assert error.status == 422
    assert "cancel the job" in error.hint
    assert [runner.id for runner in client.runners()] == [made.runner_id]


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_what_may_pass_is_asked_again(github, status):
    github.faults["repository"] = [answers(status), answers(status)]
    assert client_of(github).repository().full_name == REPOSITORY
    assert len(github.asked) == 3


def test_a_failure_that_lasts_is_given_up(github):
    github.faults["repository"] = [answers(503)] * 20
    error = refused(client_of(github).repository)
    assert (error.status, error.transient) == (503, True)
    assert len(github.asked) == github_api.TRIES


def test_the_time_that_github_asks_for_is_waited(github, monkeypatch):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    github.faults["repository"] = [answers(429, retry_after="2")]
    client_of(github).repository()
    assert 2.0 <= waits[0] <= 2.2


def test_a_wait_that_is_too_long_is_told_instead(github, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("waited"))
    github.faults["repository"] = [answers(429, retry_after="1200")]
    error = refused(client_of(github).repository)
    assert (error.transient, error.asked) == (True, 1200.0)
    assert "1200 seconds" in error.hint


def test_a_limit_told_with_403_is_no_lack_of_rights(github):
    github.limited = True
    error = refused(client_of(github).check_rights)
    assert (error.status, error.transient) == (403, True)
    assert error.asked > 1000
    assert "how often" in error.hint


def test_a_configuration_is_asked_for_once_only(github):
    github.faults["jit"] = [answers(502)]
    error = refused(lambda: client_of(github).just_in_time("box-1", ["self-hosted"]))
    assert error.transient
    assert len(github.of("jit")) == 1


def test_a_server_that_hangs_is_not_waited_for(github, monkeypatch):
    monkeypatch.setattr(github_api, "_SILENCE_SECONDS", 0.1)
    github.faults["repository"] = [stall(0)] * 9
    error = refused(client_of(github).repository)
    assert (error.status, error.transient) == (0, True)
    assert "did not answer in time" in error.message


def test_a_server_that_is_not_there(github):
    client = GitHub("http://127.0.0.1:1", URL, TOKEN, QUICK)
    error = refused(client.repository)
    assert error.transient
    assert "127.0.0.1 cannot be reached" in error.message


@pytest.mark.parametrize("fault", [PAGE, EMPTY])
def test_an_answer_that_is_not_the_apis_is_no_traceback(github, fault):
    github.faults["runners"] = [fault]
    error = refused(client_of(github).runners)
    assert "cannot be used" in error.message
    assert "runner.api" in error.hint


def test_a_renamed_repository_is_followed_on_the_same_server(github):
    github.moved["lab/old"] = f"/repos/{REPOSITORY}"
    client = client_of(github, url="https://github.com/lab/old")
    assert client.repository().full_name == REPOSITORY
    assert client.just_in_time("box-1", ["self-hosted"]).runner_id == 1


def test_the_token_follows_no_redirect_to_another_server(github):
    with GitHubStandIn({REPOSITORY: Repo()}, {TOKEN: Token()}) as other:
        github.moved[REPOSITORY] = f"{other.url}/repos/{REPOSITORY}"
        error = refused(client_of(github).repository)
        assert other.asked == []
    assert "another place" in error.message


@pytest.mark.parametrize(
    "api", ["http://api.example.org", "https://user:pw@api.example.org", "https://", "http://[::"]
)
def test_an_address_that_would_show_the_token_is_refused(api):
    with pytest.raises(UsageError) as caught:
        GitHub(api, URL, TOKEN)
    assert "pw" not in caught.value.message


def test_an_address_of_no_repository_is_refused(github):
    with pytest.raises(UsageError, match="not the https address"):
        client_of(github, url="https://github.com/lab")
