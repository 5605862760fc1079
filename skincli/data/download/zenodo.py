"""DermaMNIST on Zenodo: which record holds which file, and where its bytes are."""

from collections.abc import Mapping
from typing import Any, Final

from skincli.data.download.answers import UnreachableError
from skincli.data.download.asking import ask_json
from skincli.data.download.transfer import RemoteFile
from skincli.data.download.web import Web
from skincli.errors import SkincliError
from skincli.progress import Progress

# MedMNIST+ (doi:10.5281/zenodo.10519652), and the corrected sets of Abhishek, Jain, Hamarneh 2025
# (doi:10.5281/zenodo.11101338), of which the record alone knows the MD5.
OFFICIAL: Final = 10519652
CORRECTED: Final = 11101338
PUBLISHED: Final[Mapping[str, str]] = {
    "dermamnist.npz": "0744692d530f8e62ec473284d019b0c7",
    "dermamnist_64.npz": "b70a2f5635c6199aeaa28c31d7202e1f",
    "dermamnist_128.npz": "2defd784463fa5243564e855ed717de1",
    "dermamnist_224.npz": "8974907d8e169bef5f5b96bc506ae45d",
}


def zenodo_file(web: Web, record: int, name: str, progress: Progress) -> RemoteFile:
    """Where to get a file of a record, by the server's own list if that can be had.

    Raises SkincliError when the server cannot be reached.
    """
    address = web.settings.zenodo.rstrip("/")
    fallback = f"{address}/records/{record}/files/{name}?download=1"
    known = RemoteFile(name, fallback, md5=PUBLISHED.get(name))
    try:
        content = ask_json(web, f"{address}/api/records/{record}", "the record's list of files")
        listed = {file["key"]: file for file in content["files"]}
    except UnreachableError:
        raise
    except (SkincliError, KeyError, TypeError) as error:
        reason = error.message if isinstance(error, SkincliError) else "it has another form"
        progress.warn(f"no list of files from {address}: {reason}")
        return known
    if name not in listed:
        progress.warn(f"record {record} at {address} does not list {name}")
        return known
    return _described(listed[name], known)


def _described(file: Mapping[str, Any], known: RemoteFile) -> RemoteFile:
    kind, _, checksum = str(file.get("checksum", "")).partition(":")
    md5 = checksum.lower() if kind == "md5" else known.md5
    url = file.get("links", {}).get("self", known.url)
    return RemoteFile(known.name, url, file.get("size"), md5)
