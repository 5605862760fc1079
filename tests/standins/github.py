"""GitHub's REST API: repositories, the rights of tokens, and self-hosted runners."""

import base64
import itertools
import json
import re
import time
from typing import Any

from standins.repositories import Registered, Repo, Token
from standins.sending import answer_fault
from standins.server import Asked, Handler, StandIn

__all__ = ["NEWEST_RUNNER", "GitHubStandIn", "Registered", "Repo", "Token"]

_RUNNERS = r"/repos/([^/]+/[^/]+)/actions/runners"
NEWEST_RUNNER = "/repos/actions/runner/releases/latest"


class GitHubStandIn(StandIn):
    """Repositories by `owner/name` and tokens by their text.

    Faults go by `repository`, `runners`, `rights`, `jit`, `jit after` (it is done, and the answer
    lost), `remove` and `newest`; `stall` hangs up after 20 seconds or at the end. `limited` is a
    used-up limit of the rate, `unnamed` how many questions without a token are left. `moved` holds
    the new places of `/repos/OWNER/NAME`. What a container does at GitHub by another protocol, a
    stand-in of docker does under `/test/`, without a token.
    """

    def __init__(self, repositories: dict[str, Repo], tokens: dict[str, Token]) -> None:
        super().__init__()
        self.repositories = repositories
        self.tokens = tokens
        self.moved: dict[str, str] = {}
        self.limited = False
        self.unnamed = 59
        self.configurations: list[str] = []
        self._ids = itertools.count(1)

    def register(self, repository: str, name: str, labels: list[str]) -> Registered | None:
        """A runner that is online, None where its name is taken."""
        made = self._register(self.repositories[repository], name, labels)
        if made is not None:
            made.status = "online"
        return made

    def answer(self, asked: Asked, handler: Handler) -> None:
        for method, pattern, name, action in (
            ("GET", r"/repos/([^/]+/[^/]+)", "repository", self._repository),
            ("GET", _RUNNERS, "runners", self._list),
            ("POST", rf"{_RUNNERS}/registration-token", "rights", self._registration),
            ("POST", rf"{_RUNNERS}/generate-jitconfig", "jit", self._just_in_time),
            ("DELETE", rf"{_RUNNERS}/(\d+)", "remove", self._remove),
        ):
            match = re.fullmatch(pattern, asked.path)
            if match and method == asked.method:
                asked.name = name
                if not self._spoiled(name, handler) and self._admitted(name, match[1], handler):
                    action(handler, self.repositories[match[1]], *match.groups()[1:])
                return
        if asked.path == NEWEST_RUNNER:
            asked.name = "newest"
            if not self._spoiled("newest", handler):
                left = {"X_RateLimit_Remaining": str(self.unnamed)}
                _send(handler, 200, {"tag_name": "v2.331.0"}, **left)
        elif asked.path.startswith("/test/"):
            self._played(asked, handler)
        else:
            _say(handler, 404, "Not Found")

    def _spoiled(self, name: str, handler: Handler) -> bool:
        fault = self.next_fault(name)
        if fault is None:
            return False
        if fault.kind == "stall":
            self.released.wait(20)
            handler.close_connection = True
            return True
        return answer_fault(handler, fault)

    def _admitted(self, name: str, repository: str, handler: Handler) -> bool:
        """Whether the token may do this; otherwise GitHub's refusal is sent."""
        token = self.tokens.get(handler.asked.headers.get("authorization", "").partition(" ")[2])
        if token is None:
            _say(handler, 401, "Bad credentials")
            return False
        more = {} if token.scopes is None else {"X_OAuth_Scopes": token.scopes}
        if self.limited:
            until = {
                "X_RateLimit_Remaining": "0",
                "X_RateLimit_Reset": str(int(time.time()) + 3000),
            }
            _say(handler, 403, "API rate limit exceeded", **until)
        elif repository in self.moved:
            rest = handler.asked.target.removeprefix(f"/repos/{repository}")
            handler.reply(307, Location=self.moved[repository] + rest)
        elif token.sso:
            text = "Resource protected by organization SAML enforcement."
            _say(handler, 403, text, X_GitHub_SSO=token.sso, **more)
        elif repository not in self.repositories or token.rights == "none":
            _say(handler, 404, "Not Found", **more)
        elif name != "repository" and token.rights != "admin":
            self._refuse(handler, token, more)
        else:
            return True
        return False

    def _refuse(self, handler: Handler, token: Token, more: dict[str, str]) -> None:
        if token.scopes is None:
            _say(handler, 403, "Resource not accessible by personal access token", **more)
        elif "repo" in token.scopes.split(", "):
            _say(handler, 403, "Must have admin rights to Repository.", **more)
        else:
            _say(handler, 404, "Not Found", **more)

    def _repository(self, handler: Handler, repo: Repo) -> None:
        name = next(name for name, each in self.repositories.items() if each is repo)
        url = f"https://github.com/{name}"
        _send(handler, 200, {"full_name": name, "private": repo.private, "html_url": url})

    def _list(self, handler: Handler, repo: Repo) -> None:
        query = handler.asked.query
        size, page = min(int(query.get("per_page", 30)), 100), int(query.get("page", 1))
        with self._lock:
            runners = [each.as_json() for each in repo.runners.values()]
        more = {}
        if len(runners) > size * page:
            target = f"{self.url}{handler.asked.path}?per_page={size}&page={page + 1}"
            more["Link"] = f'<{target}>; rel="next"'
        shown = runners[size * (page - 1) : size * page]
        _send(handler, 200, {"total_count": len(runners), "runners": shown}, **more)

    def _registration(self, handler: Handler, repo: Repo) -> None:
        _send(handler, 201, {"token": "AREGISTRATION", "expires_at": "2030-01-01T00:00:00Z"})

    def _just_in_time(self, handler: Handler, repo: Repo) -> None:
        wanted = json.loads(handler.body)
        if not wanted.keys() >= {"name", "runner_group_id", "labels"}:
            _say(handler, 422, "Invalid request.")
            return
        made = self._register(repo, wanted["name"], wanted["labels"])
        if made is None:
            text = f"Already exists - A runner with the name *{wanted['name']}* already exists."
            _say(handler, 409, text)
            return
        made.os, made.ephemeral = "unknown", True
        made.encoded = base64.b64encode(f"jit-{made.id}-{made.name}".encode()).decode()
        self.configurations.append(made.encoded)
        lost = self.next_fault("jit after")
        if lost is not None and answer_fault(handler, lost):
            return
        answer = {"runner": made.as_json(), "encoded_jit_config": made.encoded}
        _send(handler, 201, answer)

    def _remove(self, handler: Handler, repo: Repo, number: str) -> None:
        found = repo.runners.get(int(number))
        if found is None:
            _say(handler, 404, "Not Found")
        elif found.busy:
            text = f'Runner "{found.name}" is currently running a job and cannot be deleted.'
            _say(handler, 422, text)
        else:
            with self._lock:
                repo.runners.pop(found.id, None)
            handler.reply(204)

    def _register(self, repo: Repo, name: str, labels: list[str]) -> Registered | None:
        with self._lock:
            if repo.named(name) is not None:
                return None
            made = Registered(next(self._ids), name, labels)
            repo.runners[made.id] = made
            return made

    def _played(self, asked: Asked, handler: Handler) -> None:
        """What a runner does: `POST /test/runners` registers one (`repository`, `name`, `labels`),
        `POST /test/jit` takes up a configuration (`encoded`), `POST /test/runners/ID` sets `status`
        and `busy`, `DELETE /test/runners/ID` unregisters it."""
        wanted = json.loads(handler.body or b"{}")
        match = re.fullmatch(r"/test/runners/(\d+)", asked.path)
        if match:
            self._change(handler, int(match[1]), wanted)
        elif asked.path == "/test/jit":
            self._take_up(handler, wanted["encoded"])
        elif asked.path == "/test/runners":
            made = self.register(wanted["repository"], wanted["name"], wanted["labels"])
            if made is None:
                _say(handler, 409, f"A runner exists with the same name {wanted['name']}.")
            else:
                _send(handler, 201, made.as_json())

    def _change(self, handler: Handler, number: int, wanted: dict[str, Any]) -> None:
        for repo in self.repositories.values():
            found = repo.runners.get(number)
            if found is None:
                continue
            if handler.command == "DELETE":
                with self._lock:
                    repo.runners.pop(number, None)
            found.status = wanted.get("status", found.status)
            found.busy = wanted.get("busy", found.busy)
            _send(handler, 200, found.as_json())
            return
        _say(handler, 404, "Not Found")

    def _take_up(self, handler: Handler, encoded: str) -> None:
        for repo in self.repositories.values():
            for found in repo.runners.values():
                if found.encoded == encoded:
                    found.encoded, found.status, found.os = None, "online", "linux"
                    _send(handler, 200, found.as_json())
                    return
        _say(handler, 404, "this configuration was used already, or was never made")


def _say(handler: Handler, status: int, message: str, **more: str) -> None:
    _send(handler, status, {"message": message, "status": str(status)}, **more)


def _send(handler: Handler, status: int, answer: dict[str, Any], **more: str) -> None:
    handler.reply(status, json.dumps(answer).encode(), "application/json; charset=utf-8", **more)
