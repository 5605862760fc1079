"""Requests as no honest client writes them, under names that say what is wrong."""

import gzip
import json

from handwriting import FORM, GOOD, IMAGE, JPEG, chunked, get, named, part, request
from uploads import BOUNDARY, multipart

MULTIPART = {
    "no boundary": request("Content-Type: multipart/form-data", body=GOOD),
    "an empty boundary": request("Content-Type: multipart/form-data; boundary=", body=GOOD),
    "a boundary of 9000 letters": request(
        f"Content-Type: multipart/form-data; boundary={'x' * 9000}", body=GOOD
    ),
    "a boundary in Greek": request(
        "Content-Type: multipart/form-data; boundary=\u03b1\u03b2", body=GOOD
    ),
    "two boundaries": request(FORM + "; boundary=other", body=GOOD),
    "two types": request(FORM, IMAGE, body=GOOD),
    "another boundary": request("Content-Type: multipart/form-data; boundary=other", body=GOOD),
    "no end": request(FORM, body=GOOD[:-20]),
    "the end only": request(FORM, body=f"--{BOUNDARY}--\r\n".encode()),
    "nothing": request(FORM),
    "junk before": request(FORM, body=b"junk\r\n" * 999 + GOOD),
    "junk behind": request(FORM, body=GOOD + b"junk\r\n" * 999),
    "5000 parts": request(FORM, body=GOOD[: -len(BOUNDARY) - 6] * 5000),
    "5000 fields": request(
        FORM, body=b"".join(part(f'name="f{n}"', b"x")[: -len(BOUNDARY) - 8] for n in range(5000))
    ),
    "a part of a megabyte of headers": request(
        FORM, body=part('name="images"; filename="x"', JPEG, "X-Long: " + "x" * 1_000_000)
    ),
    "a part of 50000 headers": request(
        FORM, body=part('name="images"; filename="x"', JPEG, *["X-Many: x"] * 50_000)
    ),
    "a part without headers": request(FORM, body=f"--{BOUNDARY}\r\n\r\n".encode() + JPEG),
    "a part without a name": request(FORM, body=part('filename="x"')),
    "a part that is no form data": request(
        FORM, body=part('name="images"; filename="x"').replace(b"form-data", b"attachment")
    ),
    "a form inside of the form": request(
        FORM, body=part('name="images"; filename="x"', GOOD, "Content-Type: multipart/mixed")
    ),
    "a field of another name": request(FORM, body=multipart("../images", JPEG)),
    "a field in the place of a file": request(FORM, body=part('name="images"', b"x" * 100_000)),
    "a field of three megabytes": request(FORM, body=part('name="images"', b"x" * 3_000_000)),
    "a file in base64": request(
        FORM, body=part('name="images"; filename="x"', b"/9j/", "Content-Transfer-Encoding: base64")
    ),
    "line ends of Unix": request(FORM, body=GOOD.replace(b"\r\n", b"\n")),
    "a charset of its own": request(FORM + "; charset=utf-16", body=GOOD),
    "a charset that there is not": request(FORM + "; charset=nothing", body=GOOD),
    **{
        f"the filename {number}": named(name)
        for number, name in enumerate(
            (
                "../../../../etc/passwd", "..\\..\\boot.ini", "/etc/shadow", "x" * 100_000,
                "con", "", ".", "a\x00b.jpg", "\u202egpj.exe", "\U0001f600.jpg", "\udcff\udcfe",
                "<script>alert(1)</script>.jpg", "'; drop table predictions; --", "%2e%2e%2f",
                'a"; filename="b', "a\r\nX-Injected: 1", "file:///etc/passwd", "${jndi:ldap://x}",
            )
        )
    },
    "a filename in two encodings": request(
        FORM, body=part("name=\"images\"; filename=\"x\"; filename*=UTF-8''%2e%2e%2fx")
    ),
}  # fmt: skip

LENGTHS = {
    "two lengths": request(FORM, "Content-Length: 5", body=GOOD),
    "two equal lengths": request(FORM, f"Content-Length: {len(GOOD)}", body=GOOD),
    "a list of lengths": request(FORM, f"Content-Length: {len(GOOD)}, 5", body=GOOD, length=False),
    **{
        f"the length {value!r}": request(
            FORM, f"Content-Length: {value}", body=GOOD, length=False
        )
        for value in (
            "-1", "+5", "0x10", "1e3", "", " ", "five", "1_000", "9" * 19, "9" * 4000, "\u0661",
        )
    },
    "no length": request(FORM, body=GOOD, length=False),
    "chunks": chunked(GOOD),
    "chunks with garbage behind": chunked(GOOD) + b"garbage" * 100,
    "chunks of a size that is none": request(
        FORM, "Transfer-Encoding: chunked", body=b"xyz\r\n", length=False
    ),
    "chunks of a negative size": request(
        FORM, "Transfer-Encoding: chunked", body=b"-5\r\nhello\r\n", length=False
    ),
    "chunks of 4 billion bytes": request(
        FORM, "Transfer-Encoding: chunked", body=b"ffffffffffffffff\r\nhello", length=False
    ),
    "chunks with long remarks": chunked(
        tail=b"1;" + b"x" * 200_000 + b"\r\nx\r\n0\r\n\r\n"
    ),
    "chunks with trailers": chunked(GOOD, tail=b"0\r\nX-After: 1\r\n\r\n"),
    "50000 chunks of a byte": chunked(*[b"x"] * 50_000),
    "chunks and a length": request(FORM, "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunks twice": request(
        FORM, "Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n", length=False
    ),
    "chunks and identity": request(
        FORM, "Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=b"0\r\n\r\n",
        length=False,
    ),
    "chunks spelt otherwise": request(
        FORM, "Transfer-Encoding: xchunked", body=b"0\r\n\r\n", length=False
    ),
    "packed chunks": request(
        FORM, "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n", length=False
    ),
    "a space before the colon": request(FORM, "Transfer-Encoding : chunked", body=GOOD),
}  # fmt: skip

METHODS = (
    "PATCH", "PUT", "DELETE", "TRACE", "CONNECT", "OPTIONS", "HEAD", "LINK", "M-SEARCH", "PURGE",
)  # fmt: skip
ROUTES = ("/v1/predict", "/v1/feedback", "/v1/model", "/model_inference")

LINES = {
    **{
        f"{method} of {path}": request(IMAGE, body=JPEG, line=f"{method} {path} HTTP/1.1")
        for method in METHODS
        for path in ROUTES
    },
    **{
        f"the line {line!r}": request(line=line, length=False)
        for line in (
            "GET / HTTP/0.9", "GET / HTTP/3.0", "GET / HTTP/1.10", "GET / HTTX/1.1",
            "GET  /  HTTP/1.1",
            "BREW /v1/predict HTTP/1.1", "CONNECT localhost:80 HTTP/1.1", "TRACE / HTTP/1.1",
            "OPTIONS * HTTP/1.1", "DEBUG / HTTP/1.1", "PROPFIND / HTTP/1.1", "get / HTTP/1.1",
            "\x00 / HTTP/1.1", "\u03a9 / HTTP/1.1", "PUT /v1/model HTTP/1.1", "GET",
            "DELETE /v1/predict HTTP/1.1", "PRI * HTTP/2.0", "X" * 70_000 + " / HTTP/1.1",
        )
    },
    "a line of its own": b"GET /\r\n",
    "no line": b"\r\n\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(300),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100),
    "zeros": bytes(5000),
    "noise": bytes(range(256)) * 20 + b"\r\n\r\n",
    **{
        f"the path {path[:40]!r}": get(path)
        for path in (
            "http://localhost/healthz", "http://example.org/v1/model", "//example.org/x",
            "/%00", "/v1/model%00", "/static/%2e%2e%2f%2e%2e%2fapp.py", "/static/../app.py",
            "/static/..%5capp.py", "/static//etc/passwd", "/../../../../etc/passwd", "/%ff%fe",
            "/%", "/%zz", "/" + "x" * 60_000, "/" + "../" * 9000, "/v1/model?" + "a=b&" * 9000,
            "/v1/model#x", "/docs/../v1/model", "/v1/model/", "/V1/MODEL", "/v1//model", "/;x=y",
            "/v1/predict?heatmap=maybe", "/static/index.html%00.css", "/\u03a9",
        )
    },
}  # fmt: skip

HEADERS = {
    "a megabyte of a header": get("/healthz", "X-Long: " + "x" * 1_000_000),
    "a megabyte of headers": get("/healthz", *["X-Many: x"] * 90_000),
    "no host": b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": get("/v1/model", "Host: example.org"),
    "another host": b"GET /v1/model HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n",
    "a host of garbage": b"GET /v1/model HTTP/1.1\r\nHost: [::\r\nConnection: close\r\n\r\n",
    "a folded header": get("/v1/model", "X-Folded: a\r\n b"),
    "a header without a name": get("/v1/model", ": x"),
    "a header without a colon": get("/v1/model", "nothing"),
    "a header of zeros": get("/v1/model", "X: \0\0"),
    "an unknown expectation": request(FORM, "Expect: 200-ok", body=GOOD),
    "a range": get("/v1/model", "Range: bytes=0-9223372036854775807"),
    "an upgrade": get("/v1/model", "Upgrade: websocket", "Connection: Upgrade"),
    "an upgrade to HTTP/2": get("/v1/model", "Upgrade: h2c", "HTTP2-Settings: AAA"),
    "a key of garbage": get("/v1/model", "Authorization: Bearer " + "\u00ff" * 999),
    "a forged address": get("/v1/model", "X-Forwarded-For: ' or 1=1", "Forwarded: for=_x"),
    "another method": request(IMAGE, "X-HTTP-Method-Override: DELETE", body=JPEG),
    "an impossible type": request("Content-Type: /;;=", body=JPEG),
    "a type of a megabyte": request("Content-Type: image/" + "x" * 60_000, body=JPEG),
    "a cookie": get("/v1/model", "Cookie: " + "a=b; " * 5000),
}

BODIES = {
    "a packed form": request(FORM, "Content-Encoding: gzip", body=gzip.compress(GOOD)),
    "a packed image": request(IMAGE, "Content-Encoding: gzip", body=gzip.compress(JPEG)),
    "a packed bomb": request(
        IMAGE, "Content-Encoding: gzip", body=gzip.compress(bytes(50_000_000))
    ),
    "brotli": request(IMAGE, "Content-Encoding: br", body=bytes(100)),
    "json": request("Content-Type: application/json", body=b'{"images": []}'),
    "a form in the URL": request(
        "Content-Type: application/x-www-form-urlencoded", body=b"images=x&" * 90_000
    ),
    "xml": request("Content-Type: text/xml", body=b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"),
    "an image under no type": request(body=JPEG),
    "an image of another type": request("Content-Type: image/svg+xml", body=b"<svg/>"),
    "an empty image": request(IMAGE),
    **{
        f"feedback {number}": request(
            "Content-Type: application/json", line="POST /v1/feedback HTTP/1.1", body=body
        )
        for number, body in enumerate(
            (
                b"", b"null", b"[]", b"{}", b"{" * 50_000, b"[" * 200_000, b'"' + b"x" * 999_999,
                b"1" * 50_000, b"NaN", b"\xff\xfe",
                b'{"prediction_id": "\\ud800", "diagnosis": "mel"}',
                json.dumps({"prediction_id": "0" * 32, "diagnosis": "\0"}).encode(),
                json.dumps({"prediction_id": ["0"], "diagnosis": {"a": 1}}).encode(),
                json.dumps({"prediction_id": "0" * 32, "diagnosis": "m" * 99_999}).encode(),
                b'{"prediction_id": 1e999, "diagnosis": true}',
            )
        )
    },
}  # fmt: skip

REQUESTS = {
    f"{kind}: {name}": content
    for kind, table in (
        ("multipart", MULTIPART),
        ("length", LENGTHS),
        ("line", LINES),
        ("headers", HEADERS),
        ("body", BODIES),
    )
    for name, content in table.items()
}
