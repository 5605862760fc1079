"""LitServe with as many workers as cores: `python litserve_app.py`."""

import os

import litserve
from engines import WORKERS, load
from fastapi import Request


class Classifier(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = load()

    def decode_request(self, request: Request) -> bytes:
        return request["image"].file.read()  # by now the request is its form

    def predict(self, data: bytes) -> list[float]:
        return self.model(data)

    def encode_response(self, logits: list[float]) -> dict[str, list[float]]:
        return {"logits": logits}


if __name__ == "__main__":
    server = litserve.LitServer(Classifier(), accelerator="cpu", workers_per_device=WORKERS)
    server.run(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), generate_client_file=False)
