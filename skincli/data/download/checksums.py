"""MD5 sums: what publishers give, against accidents and not attacks."""

import hashlib
import re
from pathlib import Path
from typing import Final

CHUNK: Final = 1 << 20
CHECKSUMS: Final = "MD5SUMS"
_LINE: Final = re.compile(r"([0-9a-fA-F]{32})\s+\*?(?:\./)?(\S.*)")


def parse_checksums(text: str) -> dict[str, str]:
    """MD5 by file name, from what `md5sum` writes."""
    matches = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return {match[2].strip(): match[1].lower() for match in matches if match}


def md5_of(path: Path) -> str:
    """The MD5 of a file in hex."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
