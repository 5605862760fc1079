"""`skincli serve` as its clients see it, with whatever can go wrong on the way."""

import json
import threading
from typing import Any

from standins.server import Asked, Handler, StandIn

CLASSES = ("benign", "malignant")


class Scorer(StandIn):
    """Says the same of every image. `faults` go by path, one per request.

    `deadly` in an image makes every request with it break off, `dripping` its answer come in bytes.
    `digests` are those of the model, one per answer, the last for ever; `replies` are bodies that
    take the place of good ones. Where it has `moved_to` another address, it says nothing else.
    """

    def __init__(self) -> None:
        super().__init__()
        self.deadly = b"(deadly)"
        self.dripping = b"(dripping)"
        self.digests = ["a" * 64]
        self.replies: list[bytes] = []
        self.moved_to = ""
        self.at_once = self.most_at_once = 0
        self.together = threading.Barrier(1)

    def answer(self, asked: Asked, handler: Handler) -> None:
        asked.name = asked.path
        fault = self.next_fault(asked.path)
        if self.moved_to:
            handler.reply(307, Location=self.moved_to + asked.target)
        elif self.deadly in handler.body or (fault and fault.kind == "cut"):
            handler.close_connection = True
        elif fault and fault.kind == "status":
            retry = {"Retry_After": fault.retry_after} if fault.retry_after else {}
            handler.reply(fault.status, problem(fault.status), "application/problem+json", **retry)
        elif fault and fault.kind == "html":
            handler.reply(200, b"<html>Log in to the network</html>", "text/html")
        elif fault and fault.kind == "stall":
            self.released.wait()
        elif self.dripping in handler.body:
            self._drip(handler)
        else:
            self._answer_well(asked, handler)

    def _drip(self, handler: Handler) -> None:
        handler.head(200, 1000, "application/json")
        while not self.released.wait(0.02):
            handler.wfile.write(b" ")

    def _answer_well(self, asked: Asked, handler: Handler) -> None:
        if asked.path == "/healthz":
            handler.reply(200, b'{"status": "ok"}', "application/json")
        elif asked.path == "/v1/model":
            handler.reply(200, json.dumps(model(self.digests[0])).encode(), "application/json")
        else:
            self._predict(handler)

    def _predict(self, handler: Handler) -> None:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            digest = self.digests.pop(0) if len(self.digests) > 1 else self.digests[0]
            reply = self.replies.pop(0) if self.replies else encoded(answer(digest))
        self.together.wait(30)
        with self._lock:
            self.at_once -= 1
        handler.reply(200, reply, "application/json")


def model(digest: str) -> dict[str, Any]:
    classes = [{"code": c, "name": f"{c} lesion", "malignant": c == "malignant"} for c in CLASSES]
    return {
        "name": "stand-in",
        "version": "3",
        "digest": digest,
        "classes": classes,
        "operating_point": 0.5,
        "synthetic": True,
        "of_a_later_version": [],
    }


def answer(digest: str = "a" * 64, **changed: Any) -> dict[str, Any]:
    """A good answer, with some fields of the prediction in other words."""
    prediction = {
        "id": "0" * 32,
        "filename": "image",
        "diagnosis": {"code": "benign", "name": "benign lesion"},
        "probabilities": {"benign": 0.75, "malignant": 0.25},
        "malignant_probability": 0.25,
        "malignant": False,
        "conformal_set": ["benign"],
        "novelty": 0.5,
        "out_of_distribution": False,
        "abstain": False,
        "abstain_reason": None,
        **changed,
    }
    return {"model": {"name": "stand-in", "digest": digest}, "predictions": [prediction]}


def encoded(content: Any) -> bytes:
    return json.dumps(content).encode()


def problem(status: int) -> bytes:
    return encoded({"type": "about:blank", "status": status, "detail": f"the reason for {status}"})
