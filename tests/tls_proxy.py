"""What stands before an online server: it ends TLS and names the domain to the server behind."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from services import free_port, wait_for_port

_PATIENCE = 30.0


@contextmanager
def tls_proxy(upstream: str, domain: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Its address on localhost, and the certificate that a client has to trust."""
    certificate, key = _make_certificate(folder)
    port = free_port()
    config = uvicorn.Config(
        _passing_on(upstream, domain),
        port=port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for_port(port)
        yield f"https://localhost:{port}", certificate
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)


def _passing_on(upstream: str, domain: str):
    async def app(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = [pair for pair in scope["headers"] if pair[0] != b"host"]
        headers += [(b"host", domain.encode()), (b"x-forwarded-proto", b"https")]
        address = f"{upstream}{scope['path']}?{scope['query_string'].decode()}"
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=_PATIENCE) as client:
            answer = await client.request(scope["method"], address, headers=headers, content=body)
        kept = ("content-type", "location", "www-authenticate")
        sent = [(k.encode(), v.encode()) for k, v in answer.headers.items() if k in kept]
        start = {"type": "http.response.start", "status": answer.status_code, "headers": sent}
        await send(start)
        await send({"type": "http.response.body", "body": answer.content})

    return app


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
