"""Requests written by hand, byte by byte."""

from uploads import BOUNDARY, encoded, multipart

JPEG = encoded("JPEG")
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
IMAGE = "Content-Type: image/jpeg"
GOOD = multipart("images", JPEG)


def request(
    *headers: str,
    body: bytes = b"",
    line: str = "POST /v1/predict HTTP/1.1",
    length: bool = True,
) -> bytes:
    """A request that closes its connection, with a correct length where one is wanted."""
    lines = [line, "Host: localhost", "Connection: close", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def get(path: str, *headers: str) -> bytes:
    return request(*headers, line=f"GET {path} HTTP/1.1", length=False)


def part(disposition: str, content: bytes = JPEG, *headers: str) -> bytes:
    lines = [f"--{BOUNDARY}", f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    end = f"\r\n--{BOUNDARY}--\r\n"
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + content + end.encode()


def named(filename: str) -> bytes:
    return request(FORM, body=part(f'name="images"; filename="{filename}"'))


def chunked(*chunks: bytes, tail: bytes = b"0\r\n\r\n") -> bytes:
    body = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return request(FORM, "Transfer-Encoding: chunked", body=body + tail, length=False)
