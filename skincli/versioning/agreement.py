"""Whether `params.yaml` alone decides a stage, as `dvc repro` takes for granted.

In a stage it beats `skincli.yaml`, but environment variables beat it, and DVC would keep what they
made as made of `params.yaml`. An edit of `skincli.yaml` gets there with the next version only.
"""

from pathlib import Path

from skincli.config.load import PROJECT_FILE, load_config
from skincli.config.schema import Config
from skincli.data.download.checksums import md5_of
from skincli.errors import UsageError
from skincli.versioning.pointers import read_yaml
from skincli.versioning.recording import LOCK_FILE
from skincli.versioning.shortfall import listed
from skincli.versioning.stages import PARAMS_FILE, PREPARE, disagreements


def require_agreement(config: Config, here: Path) -> None:
    """Look at the settings that a stage in `here` is about to run with.

    Raises UsageError where they are not those of `params.yaml`, or where `skincli.yaml` was edited
    since `prepare` last ran and sets another value.
    """
    keys = disagreements(config, here)
    if keys:
        raise UsageError(
            f"the environment sets {listed(keys)} otherwise than `{PARAMS_FILE}`, "
            "which DVC goes by",
            f"unset SKINCLI__{keys[0].upper().replace('.', '__')} or what else sets it, or try "
            f"another value with `dvc exp run -S {keys[0]}=VALUE`",
        )
    keys = _edited(here)
    if keys:
        raise UsageError(
            f"`{PROJECT_FILE}` was edited and sets {listed(keys)} otherwise than `{PARAMS_FILE}`, "
            "which DVC goes by",
            f"`skincli data version` brings the edit to `{PARAMS_FILE}`; remove the setting from "
            f"`{PROJECT_FILE}` to keep the other value",
        )


def _edited(here: Path) -> list[str]:
    """The keys that `skincli.yaml` sets otherwise than `params.yaml`, if it is not as DVC knows."""
    file, stages = here / PROJECT_FILE, read_yaml(here / LOCK_FILE).get("stages") or {}
    known = {dep["path"]: dep.get("md5") for dep in stages.get(PREPARE, {}).get("deps", ())}
    if not file.is_file() or known.get(PROJECT_FILE, "") in ("", md5_of(file)):
        return []
    resolved = load_config(folder=here, environ={})
    return [key for key in disagreements(resolved.config, here) if key in resolved.origins]
