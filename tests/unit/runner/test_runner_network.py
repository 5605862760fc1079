"""What CML fetches by itself, and the proxies of a machine."""

import pytest
from setting_up import NAME, check_of, set_up
from standins.faults import EMPTY, PAGE, answers

from skincli.runner import proxies, registered

PROXY = "http://proxy.lan:3128"
SECRET = "http://anna:hunter2@proxy.lan:3128"


def test_the_newest_runner_is_asked_for_without_a_token_and_without_a_proxy(place, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    check = registered.downloads()
    assert (check.level, check.found.endswith("fetches runner v2.331.0")) == ("ok", True)
    (asked,) = place.github.asked
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    ("fault", "level", "found"),
    [
        (answers(403), "warning", "for now (status 403)"),
        (answers(429), "warning", "for now (status 429)"),
        (answers(502), "warning", "answers 502"),
        (answers(404), "failure", "answers 404, and names no newest runner"),
        (EMPTY, "failure", "answers 202, and names no newest runner"),
        (PAGE, "failure", "answers 200, and names no newest runner"),
    ],
)
def test_an_answer_without_a_newest_runner_is_told_apart(place, fault, level, found):
    place.github.faults["newest"] = [fault]
    check = registered.downloads()
    assert (check.level, found in check.found) == (level, True), check
    assert check.mend


def test_the_last_question_of_the_hour_is_a_warning(place):
    place.github.unnamed = 0
    check = registered.downloads()
    assert (check.level, "no more questions" in check.found) == ("warning", True)


def test_a_github_that_cannot_be_reached_stops_the_start(place, monkeypatch):
    monkeypatch.setattr(registered, "NEWEST_RUNNER", "http://127.0.0.1:9/")
    result = set_up(place)
    assert [check.name for check in result.failures] == ["runner download"]


def test_the_machines_proxies_are_handed_on(place):
    told = {"HTTPS_PROXY": PROXY, "no_proxy": "mlflow.lan"}
    result = set_up(place, environ=place.environ | told)
    assert told.items() <= place.docker.containers[NAME]["env"].items()
    check = check_of(result, "proxy")
    assert (check.level, check.found) == ("warning", "CML fetches GitHub's runner without a proxy")
    assert "--engine actions" in check.mend


def test_the_other_engine_hands_them_on_too(place):
    settings = {"engine": "actions"}.items()
    environ = place.environ | {"https_proxy": PROXY}
    result = set_up(place, environ=environ, settings=settings, dry_run=True)
    assert f" -e https_proxy={PROXY} " in result.commands[-2]
    assert check_of(result, "proxy").ok


@pytest.mark.parametrize("proxy", [SECRET, "anna:hunter2@proxy.lan:3128"])
def test_a_proxy_with_credentials_is_told_of_and_kept_back(place, proxy):
    environ = place.environ | {"HTTPS_PROXY": proxy, "NO_PROXY": "mlflow.lan"}
    result = set_up(place, environ=environ, dry_run=True)
    check = check_of(result, "proxy")
    assert (check.level, "HTTPS_PROXY carries credentials" in check.found) == ("warning", True)
    assert ".docker/config.json" in check.mend
    assert "hunter2" not in repr(result)
    assert "NO_PROXY" not in "".join(result.commands)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:3128", "localhost:3128", "http://[::1]:8/"])
def test_a_proxy_of_this_machine_alone_is_none_in_a_container(proxy):
    assert proxies.handed_on({"HTTPS_PROXY": proxy}) == {}
    assert "own address" in proxies.check({"HTTPS_PROXY": proxy}, "actions").found


def test_without_a_proxy_nothing_is_said():
    assert proxies.check({"HTTPS_PROXY": "", "NO_PROXY": "*"}, "cml") is None
    assert proxies.handed_on({"HTTPS_PROXY": "", "NO_PROXY": "*"}) == {}
