"""The token: whether there is one, and how it stays out of all that is shown."""

import re
from typing import Final

from skincli.runner.checks import Check, Environ

TOKEN_VARIABLE: Final = "REPO_TOKEN"  # noqa: S105 - the name of a variable, not a token
# Where CML looks for a token, in this order.
_READ_BY_CML: Final = (TOKEN_VARIABLE, "repo_token", "GITHUB_TOKEN")
# GitHub's tokens by their prefixes, and the registration token of `config.sh`, which CML repeats in
# its complaints, its arguments joined by commas:
# https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
_TOKENS: Final = re.compile(r"\b(?:gh[oprsu]|github_pat)_\w{16,}|(?<=--token[ ,=])[^\s,\"']+")


def token(environ: Environ) -> Check:
    """Whether the environment holds a token. The token itself is never part of the answer."""
    value = environ.get(TOKEN_VARIABLE, "")
    if value and value.isascii() and value.isprintable() and " " not in value:
        return Check("token", "ok", f"{TOKEN_VARIABLE} is set")
    found = f"{TOKEN_VARIABLE} is not set"
    if value:
        found = f"{TOKEN_VARIABLE} holds blanks, line breaks or other characters no token has"
    mend = (
        f"put a classic token with the scope `repo`, or a fine-grained one with `Administration: "
        f"read and write`, into {TOKEN_VARIABLE} (CML reads {', '.join(_READ_BY_CML)} in this "
        "order; skincli hands on the first alone)"
    )
    return Check("token", "failure", found, mend)


def without_tokens(environ: Environ) -> dict[str, str]:
    """The environment for the programs that are run on this machine.

    Neither a token of CML's names is in it, nor the same one under any other, such as GH_TOKEN.
    """
    secret = environ.get(TOKEN_VARIABLE)
    return {
        name: value
        for name, value in environ.items()
        if name not in _READ_BY_CML and (not secret or value != secret)
    }


def masked(text: str, secret: str) -> str:
    """`text` without `secret` and without whatever else looks like a token of GitHub."""
    return _TOKENS.sub("***", text.replace(secret, "***") if secret else text)
