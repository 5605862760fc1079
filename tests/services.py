"""Real services on loopback for the tracking server: PostgreSQL and a bucket of real files."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

USER = "skincli"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require(found: object, what: str) -> None:
    """Skip where a service is not installed; fail where the tests may not skip."""
    if found:
        return
    if os.environ.get("SKINCLI_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


@dataclass(frozen=True)
class Postgres:
    port: int
    programs: Path

    def uri(self, database: str) -> str:
        return f"postgresql://127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *words: str) -> None:
        command = [self.programs / program, "-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
        subprocess.run([*command, *words], check=True, capture_output=True)


@contextmanager
def postgres(password: str) -> Iterator[Postgres]:
    """A server that asks for the password of `USER`, which PGUSER and PGPASSWORD have to tell."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    require(programs, "PostgreSQL")
    service = Postgres(free_port(), programs[-1].parent)
    # Its own user has to reach the folder, which it does not below pytest's.
    root = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    (root / "password").write_text(password)
    shutil.chown(root, "postgres")
    root.chmod(0o755)
    as_postgres = {"user": "postgres", "group": "postgres", "cwd": root} if os.getuid() == 0 else {}

    def run(*command: str | Path) -> None:
        output = subprocess.DEVNULL
        subprocess.run(command, check=True, stdout=output, stderr=output, **as_postgres)

    data = root / "data"
    initdb = [programs[-1], "-D", data, "-U", USER, "--auth=scram-sha-256", "--no-sync"]
    run(*initdb, f"--pwfile={root}/password")
    options = f"-p {service.port} -c listen_addresses=127.0.0.1 -k {root} -c fsync=off"
    control = [service.programs / "pg_ctl", "-D", data, "-l", root / "log", "-w"]
    run(*control, "-o", options, "start")
    try:
        yield service
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(root)


@contextmanager
def bucket_service(folder: Path, key: str, secret: str) -> Iterator[str]:
    """The address of an S3 service that keeps each bucket as a folder below `folder`."""
    rclone = Path(sys.executable).with_name("rclone")
    require(rclone.exists(), "rclone")
    port = free_port()
    process = subprocess.Popen(
        [rclone, "serve", "s3", folder, "--addr", f"127.0.0.1:{port}"],
        env=os.environ | {"RCLONE_AUTH_KEY": f'"{key},{secret}"', "RCLONE_CONFIG": os.devnull},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_for_port(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on {port}")
