"""Finding the YAML of a config group: the user's own `./configs` first, then the shipped ones."""

from collections.abc import Iterator
from pathlib import Path

import skincli
from skincli.errors import ConfigError


def config_folders(folder: Path) -> list[Path]:
    """Where groups are looked up, in order. An editable install has no `skincli/configs`."""
    package = Path(skincli.__file__).parent
    shipped = package / "configs"
    if not shipped.is_dir():
        shipped = package.parent / "configs"
    own = folder / "configs"
    return [own, shipped] if own.is_dir() and own.resolve() != shipped.resolve() else [shipped]


def group_names(folder: Path) -> set[str]:
    return {p.name for root in config_folders(folder) for p in root.iterdir() if p.is_dir()}


def group_options(group: str, folder: Path) -> Iterator[str]:
    for root in config_folders(folder):
        yield from (path.stem for path in sorted((root / group).glob("*.yaml")))


def group_file(group: str, option: str, folder: Path, layer: str) -> Path:
    """The YAML file of `group=option`. Raises ConfigError naming the options there are."""
    options = list(dict.fromkeys(group_options(group, folder)))
    if option not in options:
        raise ConfigError(
            f"there is no `{group}={option}` (asked for by {layer})",
            f"options of `{group}`: {', '.join(options)}",
        )
    candidates = (root / group / f"{option}.yaml" for root in config_folders(folder))
    return next(path for path in candidates if path.is_file())
