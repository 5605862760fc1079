"""Why GitHub refuses a token, and how to mend it.

The statuses and headers: https://docs.github.com/en/rest, "Troubleshooting the REST API", and
"Permissions required for fine-grained personal access tokens".
"""

import re
from typing import Final

import httpx

FINE_GRAINED: Final = (
    "a fine-grained token needs this repository and the permission `Administration: read and write`"
)
CLASSIC: Final = (
    "a classic token needs the scope `repo`, and who made it must administer the repository"
)
SPELLING: Final = "; and check the spelling of `runner.repo`"
_SSO_URL: Final = re.compile(r"url=(https://[!-~]+)")


def mend(status: int, headers: httpx.Headers, reason: str) -> str:
    """What to do about a refusal, empty where no token is to blame."""
    if status == 401:
        return (
            "the token is mistyped, revoked or has expired: make a new one at "
            "https://github.com/settings/tokens and put it into REPO_TOKEN"
        )
    if status == 403:
        return _mend_of_known(headers, reason)
    return _mend_of_unseen(headers) if status == 404 else ""


def _mend_of_known(headers: httpx.Headers, reason: str) -> str:
    """For a token that sees the repository, and is not allowed what was asked."""
    sso = headers.get("x-github-sso", "")
    if sso:
        url = _SSO_URL.search(sso)
        where = url[1] if url else "https://github.com/settings/tokens (`Configure SSO`)"
        return f"the organisation wants single sign-on: authorise the token at {where}"
    if "integration" in reason:
        return f"the GITHUB_TOKEN of a workflow cannot administer runners: {FINE_GRAINED}"
    if "disabled" in reason:
        return "an owner can allow self-hosted runners in the organisation's settings of Actions"
    if "x-oauth-scopes" in headers:
        return _with_scopes(headers["x-oauth-scopes"])
    return FINE_GRAINED


def _mend_of_unseen(headers: httpx.Headers) -> str:
    """GitHub says "not found" of what a token may not see, too."""
    if "x-oauth-scopes" not in headers:
        return FINE_GRAINED + SPELLING
    return _with_scopes(headers["x-oauth-scopes"]) + SPELLING


def _with_scopes(scopes: str) -> str:
    held = f"this one has {scopes}" if scopes.strip() else "this one has no scope"
    return CLASSIC if _has_repo(scopes) else f"{CLASSIC}; {held}"


def _has_repo(scopes: str) -> bool:
    return "repo" in {scope.strip() for scope in scopes.split(",")}
