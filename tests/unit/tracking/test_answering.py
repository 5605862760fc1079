"""What a client learns of a server before MLflow's own, patient, calls."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skincli.errors import SkincliError, UsageError
from skincli.tracking.answering import require_server, told_version


@contextmanager
def server(version, status=200):
    """Well, and of this version."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            told = (200, "OK") if self.path == "/health" else (status, version)
            self.send_response(told[0])
            self.end_headers()
            self.wfile.write(told[1].encode())

        def log_message(self, *_):
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}"
    finally:
        listener.shutdown()
        listener.server_close()


def test_another_minor_version_is_fine_and_another_major_is_refused_by_both_names():
    with server("3.0.0\n") as address:
        require_server(f"{address}/")
        assert told_version(address) == "3.0.0"
    with server("2.22.0") as address, pytest.raises(SkincliError, match=r"MLflow 2\.22\.0") as told:
        require_server(address)
    assert "this client MLflow 3." in told.value.message


def test_a_server_that_asks_for_a_password_and_one_that_is_none_of_mlflows_are_told_apart():
    with server("", 401) as address:
        assert told_version(address) is None
        with pytest.raises(UsageError, match="asks who this is") as told:
            require_server(address.replace("//", "//user:secret@"))
    assert "secret" not in told.value.message
    with server("", 404) as address, pytest.raises(SkincliError, match="answers 404"):
        require_server(address)
