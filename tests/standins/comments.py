"""The part of GitHub's REST API that comments on commits and pull requests go through."""

import json
import re
from typing import Any

from standins.server import Asked, Handler, StandIn

_REPO = r"/repos/[^/]+/[^/]+"


class CommentsStandIn(StandIn):
    """Comments by the list they are in: `commits/SHA` or `issues/NUMBER`.

    `pulls` are those that a commit is part of. Lists come in pages of `page_size`.
    """

    page_size = 2

    def __init__(self) -> None:
        super().__init__()
        self.pulls: list[dict[str, Any]] = []
        self.comments: dict[str, list[dict[str, Any]]] = {}
        self.away = False

    def add(self, place: str, author: str, body: str) -> dict[str, Any]:
        number = sum(map(len, self.comments.values())) + 1
        address = f"{self.url}/comment/{number}"
        comment = {"id": number, "user": {"login": author}, "body": body, "html_url": address}
        self.comments.setdefault(place, []).append(comment)
        return comment

    def answer(self, asked: Asked, handler: Handler) -> None:
        if self.away:
            handler.reply(503)
        elif re.fullmatch(rf"{_REPO}/commits/\w+/pulls", asked.path):
            self._page(asked, handler, self.pulls)
        elif found := re.fullmatch(rf"{_REPO}/((?:commits|issues)/\w+)/comments", asked.path):
            self._list(asked, handler, found[1])
        elif found := re.fullmatch(rf"{_REPO}(/issues)?/comments/(\d+)", asked.path):
            self._change(asked, handler, "issues" if found[1] else "commits", int(found[2]))
        else:
            handler.reply(404, b"{}", "application/json")

    def _list(self, asked: Asked, handler: Handler, place: str) -> None:
        if asked.method == "GET":
            self._page(asked, handler, self.comments.get(place, []))
            return
        made = self.add(place, "github-actions[bot]", json.loads(handler.body)["body"])
        handler.reply(201, json.dumps(made).encode(), "application/json")

    def _change(self, asked: Asked, handler: Handler, kind: str, number: int) -> None:
        places = [rows for place, rows in self.comments.items() if place.startswith(kind)]
        found = [comment for rows in places for comment in rows if comment["id"] == number]
        if asked.method != "PATCH" or not found:
            handler.reply(404, b"{}", "application/json")
            return
        found[0]["body"] = json.loads(handler.body)["body"]
        handler.reply(200, json.dumps(found[0]).encode(), "application/json")

    def _page(self, asked: Asked, handler: Handler, rows: list[dict[str, Any]]) -> None:
        start = (int(asked.query.get("page", "1")) - 1) * self.page_size
        body = json.dumps(rows[start : start + self.page_size]).encode()
        handler.reply(200, body, "application/json")
