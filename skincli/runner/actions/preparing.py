"""What a machine needs before the first container: the image, and a volume that jobs can write."""

from typing import Final

from skincli.progress import Progress
from skincli.runner.actions.setting import Setting, own_command, pull_command
from skincli.runner.ask import ask
from skincli.runner.checks import Environ
from skincli.runner.complaints import failure

_PULL_SECONDS: Final = 3600.0
_OWN_SECONDS: Final = 600.0


def prepare(setting: Setting, environ: Environ, progress: Progress) -> None:
    """Fetch the image and give the volume to its user. Raises SkincliError with docker's reason."""
    progress.note(f"fetching {setting.image}, which takes minutes the first time")
    pull(setting, environ, progress)
    answer = ask(own_command(setting), environ, _OWN_SECONDS)
    if not answer.ok:
        raise failure(f"give the volume `{setting.volume}` to the runner's user", answer)


def pull(setting: Setting, environ: Environ, progress: Progress) -> None:
    """The newest image, or a warning where there is at least an older one. Raises SkincliError."""
    answer = ask(pull_command(setting), environ, _PULL_SECONDS)
    if answer.ok:
        return
    here = ask(["docker", "image", "inspect", "--format", "{{.Id}}", setting.image], environ)
    if not here.ok:
        raise failure(f"fetch {setting.image}", answer)
    progress.warn(f"{setting.image} cannot be refreshed ({answer.complaint}): going on with it")
