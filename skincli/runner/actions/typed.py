"""What this engine does, as lines for a shell."""

import json
import shlex

from skincli.config.schema import Config
from skincli.runner.actions.setting import (
    SECRET_VARIABLE,
    create_command,
    fresh_name,
    own_command,
    pull_command,
    setting_of,
    start_command,
)
from skincli.runner.checks import Environ
from skincli.runner.github import just_in_time_question
from skincli.runner.token import TOKEN_VARIABLE

# The token goes through a pipe: in the arguments of a program everybody could read it.
_CURL = f'printf "Authorization: Bearer %s\\n" "${TOKEN_VARIABLE}" | curl -fsS -X POST -H @-'
_VARIABLE = "jit_configuration"
_TAKEN = r"""sed -n 's/.*"encoded_jit_config": *"\([^"]*\)".*/\1/p'"""


def commands(config: Config, url: str, environ: Environ) -> tuple[str, ...]:
    """The commands of one job, for its repository's URL: the supervisor repeats all but the first
    two, with another name each time. Token and configuration stay in variables.

    Where GitHub gives no configuration, no container is made without one."""
    setting = setting_of(config, url, environ)
    name = fresh_name(setting)
    path, wanted = just_in_time_question(url, name, setting.labels)
    asked = f"-d {shlex.quote(json.dumps(wanted))} {shlex.quote(setting.api + path)}"
    registered = f'{_VARIABLE}=$({_CURL} {asked} | {_TAKEN}) && [ -n "${_VARIABLE}" ]'
    made = f'{SECRET_VARIABLE}="${_VARIABLE}" {shlex.join(create_command(setting, name))}'
    return (
        shlex.join(pull_command(setting)),
        shlex.join(own_command(setting)),
        f"{registered} && {made} && {shlex.join(start_command(setting))}",
        f"unset {_VARIABLE}",
    )
