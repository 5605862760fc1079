"""As much of Docker's engine as a real client of it needs to be understood: its API over a socket.

https://docs.docker.com/reference/api/engine/
"""

import base64
import io
import json
import re
import socketserver
import tarfile
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

IDENTITY = "4f1c" * 16


class DockerEngine:
    """`asked` are the requests that change something, `labels` those of the one container."""

    def __init__(self, path):
        self.asked = []
        self.created = None
        self.status = "running"
        self.labels = {"skincli": "runner"}
        self.registration = {"agentId": 12, "agentName": "cml-0123456789"}
        handler = type("BoundHandler", (_Handler,), {"engine": self})
        self._server = _Server(str(path), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.environ = {"DOCKER_HOST": f"unix://{path}"}

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def inspected(self):
        return {
            "Id": IDENTITY,
            "Name": "/skincli-runner",
            "State": {"Status": self.status, "ExitCode": 3},
            "RestartCount": 2,
            "Config": {"Labels": self.labels, "Env": ["REPO_TOKEN=secret"], "Tty": False},
            "HostConfig": {"LogConfig": {"Type": "json-file"}},
        }

    def archive(self):
        """The file that GitHub's runner notes its registration in, as `docker cp` gets it."""
        content = b"\xef\xbb\xbf" + json.dumps(self.registration).encode()
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            info = tarfile.TarInfo(".runner")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        return buffer.getvalue()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: DockerEngine

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = re.sub(r"^/v[\d.]+", "", urlsplit(self.path).path)
        if path == "/_ping":
            self._send(200, b"OK", {"Api-Version": "1.48", "Ostype": "linux"})
        elif path == "/version":
            self._json(200, {"Version": "28.2.2", "ApiVersion": "1.48", "Os": "linux"})
        elif path == "/info":
            told = {"DockerRootDir": "/var/lib/docker", "MemTotal": 99, "Architecture": "aarch64"}
            self._json(200, told)
        elif path == "/images/here:1/json":
            self._json(200, {"Id": "sha256:" + "ab" * 32})
        elif path == "/containers/skincli-runner/json":
            self._json(200, self.engine.inspected())
        elif path == "/containers/skincli-runner/archive":
            told = {"name": ".runner", "size": 60, "mode": 420, "mtime": "2026-11-26T00:00:00Z"}
            stat = base64.b64encode(json.dumps(told | {"linkTarget": ""}).encode()).decode()
            kind = {"X-Docker-Container-Path-Stat": stat, "Content-Type": "application/x-tar"}
            self._send(200, self.engine.archive(), kind)
        else:
            self._json(404, {"message": f"No such container: {path.split('/')[2]}"})

    def do_POST(self):
        split = urlsplit(self.path)
        path = re.sub(r"^/v[\d.]+", "", split.path)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        self.engine.asked.append((self.command, path, parse_qs(split.query)))
        if path == "/containers/create":
            self.engine.created = json.loads(body)
            self._json(201, {"Id": IDENTITY, "Warnings": []})
        else:
            self._send(204, b"", {})

    def do_DELETE(self):
        self.do_POST()

    def log_message(self, *_):
        pass

    def _json(self, status, content):
        self._send(status, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
