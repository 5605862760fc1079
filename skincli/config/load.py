"""Composing the configuration from its layers, low to high:

schema → groups (`data=ham10000`, `experiment=cpu`) → `skincli.yaml` in the working folder →
`--config FILE` → `SKINCLI__SECTION__KEY` environment variables → `key=value` overrides.

A section that is given plain text names a file of its group, wherever it stands: `data=synthetic`
on the command line, `data: synthetic` in a YAML file, `SKINCLI__DATA=synthetic`. `experiment`
is a group that may set any section. The only module that imports omegaconf.
"""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from skincli.config.groups import group_file, group_names
from skincli.config.schema import Config
from skincli.config.secrets import has_credentials, mask
from skincli.errors import ConfigError

PROJECT_FILE: Final = "skincli.yaml"
CONFIG_FILE_VARIABLE: Final = "SKINCLI_CONFIG"
_PREFIX: Final = "SKINCLI__"
_EXPERIMENT: Final = "experiment"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value on its way into the config, and the layer that sets it."""

    key: str
    value: Any
    layer: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The composed config, and for each dotted key that is not a default, who set it."""

    config: Config
    origins: dict[str, str]


def load_config(
    overrides: Sequence[str] = (),
    file: Path | None = None,
    folder: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Resolved:
    """Compose and validate the configuration. Raises ConfigError before any work is done."""
    folder = folder or Path.cwd()
    settings = list(_user_settings(overrides, file, folder, environ))
    groups = group_names(folder)
    node = OmegaConf.structured(Config)
    origins: dict[str, str] = {}
    chosen = [s for s in settings if s.key in groups and isinstance(s.value, str)]
    for setting in (*_group_settings(chosen, folder, groups), *_without(settings, chosen)):
        _assign(node, setting)
        origins[setting.key] = setting.layer
    return Resolved(_to_config(node, origins), origins)


def resolved_dict(config: Config) -> dict[str, Any]:
    """The whole config as plain containers, credentials masked: for saving and showing."""
    masked: dict[str, Any] = mask(asdict(config))
    return masked


def to_yaml(config: Config) -> str:
    return yaml.safe_dump(resolved_dict(config), sort_keys=False)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings to dotted keys: `{"a": {"b": 1}}` gives `("a.b", 1)`."""
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{dotted}.")
        else:
            yield dotted, value


def descriptions(section: Any = None, prefix: str = "") -> dict[str, str]:
    """What each key is for: dotted key to the line in the schema."""
    section = section or Config()
    found: dict[str, str] = {}
    for item in fields(section):
        value = getattr(section, item.name)
        if is_dataclass(value):
            found |= descriptions(value, f"{prefix}{item.name}.")
        else:
            found[f"{prefix}{item.name}"] = item.metadata["help"]
    return found


KEYS: Final = tuple(descriptions())


def _user_settings(
    overrides: Sequence[str], file: Path | None, folder: Path, environ: Mapping[str, str]
) -> Iterator[Setting]:
    project = folder / PROJECT_FILE
    if project.is_file():
        yield from _file_settings(project, PROJECT_FILE)
    if file is None and environ.get(CONFIG_FILE_VARIABLE):
        file = Path(environ[CONFIG_FILE_VARIABLE])
    if file is not None:
        yield from _file_settings(file, f"--config {file}")
    for name, text in sorted(environ.items()):
        if name.startswith(_PREFIX):
            yield Setting(name[len(_PREFIX) :].lower().replace("__", "."), _raw(text), name)
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator:
            raise ConfigError(f"`{override}` is not an override", "write it as section.key=value")
        yield Setting(key, _raw(text), "command line")


def _group_settings(chosen: Sequence[Setting], folder: Path, groups: set[str]) -> Iterator[Setting]:
    """The settings of the chosen group files; an experiment comes last and may choose others."""
    choice = {setting.key: setting for setting in chosen}
    experiment: list[Setting] = []
    if _EXPERIMENT in choice:
        picked = choice.pop(_EXPERIMENT)
        path = group_file(_EXPERIMENT, picked.value, folder, picked.layer)
        experiment = list(_file_settings(path, f"{_EXPERIMENT}={picked.value}"))
        named = [s for s in experiment if s.key in groups and isinstance(s.value, str)]
        choice = {s.key: s for s in named} | choice
        experiment = _without(experiment, named)
    for group, setting in choice.items():
        path = group_file(group, setting.value, folder, setting.layer)
        for inner in _file_settings(path, f"{group}={setting.value}"):
            yield Setting(f"{group}.{inner.key}", inner.value, inner.layer)
    yield from experiment


def _without(settings: Sequence[Setting], removed: Sequence[Setting]) -> list[Setting]:
    return [setting for setting in settings if setting not in removed]


def _file_settings(path: Path, layer: str) -> Iterator[Setting]:
    try:
        content = OmegaConf.load(path)
    except FileNotFoundError:
        raise ConfigError(f"there is no config file `{path}`") from None
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"`{path}` cannot be read as YAML: {error}") from None
    tree = OmegaConf.to_container(content)
    if not isinstance(tree, dict):
        raise ConfigError(f"`{path}` holds no mapping of settings")
    for key, value in flatten({str(k): v for k, v in tree.items()}):
        if has_credentials(value):
            raise ConfigError(
                f"`{key}` in {layer} holds a password",
                f"set it in the environment: {_PREFIX}{key.upper().replace('.', '__')}=…",
            )
        yield Setting(key, value, layer)


def _raw(text: str) -> Any:
    """Text stays text (the typed node converts it); only lists, mappings and null are YAML."""
    if text.startswith(("[", "{")) or text == "null":
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"`{text}` is not valid YAML: {error}") from None
    return text


def _assign(node: DictConfig, setting: Setting) -> None:
    if setting.key not in KEYS:
        raise _unknown(setting)
    try:
        OmegaConf.update(node, setting.key, setting.value)
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"`{setting.key}` cannot be {setting.value!r}: {reason} (set by {setting.layer})"
        ) from None


def _unknown(setting: Setting) -> ConfigError:
    inside = [key for key in KEYS if key.startswith(f"{setting.key}.")]
    if inside:
        hint = f"`{setting.key}` is a section: set one of {', '.join(inside[:4])}, …"
    else:
        last = setting.key.rpartition(".")[2]
        same_name = [key for key in KEYS if key.rpartition(".")[2] == last]
        near = same_name or difflib.get_close_matches(setting.key, KEYS, n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else "`skincli config show` lists every key"
    return ConfigError(f"unknown key `{setting.key}` (set by {setting.layer})", hint)


def _to_config(node: DictConfig, origins: Mapping[str, str]) -> Config:
    try:
        config = OmegaConf.to_object(node)
    except ValueError as error:  # a dataclass's own check, which names the key first
        key = str(error).partition(" ")[0]
        layers = {origins[k] for k in origins if k == key or k.startswith(f"{key}.")}
        where = f" (set by {', '.join(sorted(layers))})" if layers else ""
        raise ConfigError(f"{error}{where}") from None
    except OmegaConfBaseException as error:
        raise ConfigError(str(error).splitlines()[0]) from None
    assert isinstance(config, Config)
    return config
