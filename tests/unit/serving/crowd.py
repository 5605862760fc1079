"""Clients of every kind at once: honest, careless, slow, gone, and hostile."""

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
from abuse import REQUESTS
from handwriting import FORM, GOOD, request
from hostile import FILES, made
from service import Service
from uploads import encoded

PATIENCE = 120.0
IMAGES = [
    encoded(kind, size, seed)
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
    for seed, size in enumerate(((60, 45), (600, 450), (1300, 900)))
]
PAGES = ("/", "/docs", "/static/app.js", "/v1/model", "/model_info", "/metrics", "/healthz")
# What is made slowly would be waited for by the clients, not by the server.
HOSTILE = [name for name in FILES if "giga" not in name]


@dataclass
class Crowd:
    """What became of all requests. Give each client to a thread of its own."""

    served: Service
    stop: threading.Event = field(default_factory=threading.Event)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, kind: str, answer: httpx.Response) -> None:
        status = answer.status_code
        self.statuses[f"{kind} {status}"] += 1
        told_when = status == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" in answer.headers
        if status >= 500 and not told_when:
            self.wrong.append(f"{kind}: {status} {answer.text[:200]}")

    def sender(self, client: httpx.Client, choose: random.Random) -> None:
        """Predictions with and without heat maps, one image or several, and feedback on them."""
        images = choose.choices(IMAGES, k=choose.choice((1, 1, 1, 4)))
        query = {"heatmap": choose.choice(("false", "false", "true"))}
        answer = client.post("/v1/predict", files=[("images", one) for one in images], params=query)
        self.note("predict", answer)
        if answer.status_code == httpx.codes.OK:
            number = answer.json()["predictions"][0]["id"]
            given = {"prediction_id": number, "diagnosis": choose.choice(("mel", "nv", "flu"))}
            self.note("feedback", client.post("/v1/feedback", json=given))

    def reader(self, client: httpx.Client, choose: random.Random) -> None:
        self.note("page", client.get(choose.choice(PAGES)))
        time.sleep(0.02)

    def attacker(self, client: httpx.Client, choose: random.Random) -> None:
        name = choose.choice(HOSTILE)
        answer = client.post("/v1/predict", files={"images": made(FILES[name])})
        self.note("hostile", answer)

    def abuser(self, client: httpx.Client, choose: random.Random) -> None:
        """Raw requests that no honest client writes, and some that end in their middle."""
        content = choose.choice([*REQUESTS.values(), request(FORM, body=GOOD)])
        with contextlib.suppress(OSError), self._connection() as connection:
            connection.sendall(content[: choose.choice((len(content), len(content) // 2))])
            connection.settimeout(0.2)
            if b"HTTP/1.1 500" in connection.recv(4096):
                self.wrong.append(f"abuse: 500 after {content[:200]!r}")
        self.statuses["abuse"] += 1

    def sloth(self, client: httpx.Client, choose: random.Random) -> None:
        """A byte now and then, until it is cut off or goes."""
        content = request(FORM, body=GOOD)
        with contextlib.suppress(OSError), self._connection() as connection:
            for at in range(choose.randint(1, 40)):
                connection.sendall(content[at : at + 1])
                time.sleep(0.05)
        self.statuses["slow"] += 1

    def come(self, seconds: float) -> None:
        """All of them, each kind in its number, for so long. Raises what an honest client met."""
        clients = [self.sender] * 3 + [self.reader, self.attacker, self.attacker, self.abuser]
        clients += [self.sloth] * 3
        self.stop.clear()
        with ThreadPoolExecutor(len(clients)) as pool:
            running = [
                pool.submit(self._repeat, client, seed) for seed, client in enumerate(clients)
            ]
            time.sleep(seconds)
            self.stop.set()
            for one in running:
                one.result()

    def _repeat(self, client: Callable[[httpx.Client, random.Random], None], seed: int) -> None:
        choose = random.Random(seed)
        with self.served.client() as session:
            session.timeout = PATIENCE
            while not self.stop.is_set():
                client(session, choose)

    def _connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.served.port), PATIENCE)


def settled(measure: Callable[[], int], seconds: float = 10.0) -> int:
    """The least of what is measured while nothing is asked of the server."""
    found: Sequence[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = [*found, measure()]
        time.sleep(0.5)
    return min(found)
