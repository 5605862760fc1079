"""The place where data are versioned: a git repository, DVC in it, and a data set."""

from dataclasses import dataclass
from pathlib import Path

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.versioning.dvc import Dvc
from skincli.versioning.pointers import pointer_file
from skincli.versioning.recording import locked_stage, read_pointers
from skincli.versioning.repository import Repository
from skincli.versioning.settings import DvcSettings
from skincli.versioning.stages import PREPARE
from skincli.versioning.tracked import Tracked

_SETTINGS = (("core.analytics", "false"), ("core.check_update", "false"))


@dataclass(frozen=True, slots=True)
class Workspace:
    """What every verb of this room needs."""

    repository: Repository
    dvc: Dvc
    tracked: Tracked

    @classmethod
    def of(cls, config: Config) -> "Workspace":
        """Raises UsageError where git, a repository or DVC is missing, or data lie outside it."""
        tracked = Tracked.of(config.data)
        repository = Repository.around(tracked.here)
        for path in (*tracked.raw, *tracked.made):
            if not repository.holds(path):
                raise UsageError(
                    f"`{path}` lies outside the repository `{repository.root}`",
                    "only what lies in it can be versioned: set data.root=FOLDER in it"
                    if path in tracked.made or config.data.source != "folder"
                    else "move the images and their CSV into it",
                )
        return cls(repository, Dvc.found(config.versioning.dvc, tracked.here), tracked)

    @property
    def pointer_files(self) -> tuple[Path, ...]:
        return tuple(map(pointer_file, self.tracked.raw))

    @property
    def raw_names(self) -> list[str]:
        """The pointers as DVC is told of them."""
        return [self.tracked.relative(file) for file in self.pointer_files]

    @property
    def targets(self) -> list[str]:
        """The pointers, and the stage that prepared this raw set if it is known."""
        stage = locked_stage(self.tracked, read_pointers(self.tracked))
        return [*self.raw_names, *([PREPARE] if stage else [])]

    @property
    def is_ready(self) -> bool:
        """Whether DVC was set up in the repository."""
        return self._dvc_folder is not None

    @property
    def top(self) -> Path:
        """The folder that DVC's own names are relative to."""
        folder = self._dvc_folder
        return folder.parent if folder else self.repository.root

    @property
    def config_files(self) -> tuple[Path, ...]:
        """Those of DVC that git keeps."""
        folder = self._dvc_folder or self.repository.root / ".dvc"
        files = (folder / "config", folder / ".gitignore", folder.parent / ".dvcignore")
        return tuple(file for file in files if file.exists())

    def settings(self) -> DvcSettings:
        """Asks DVC."""
        return DvcSettings.of(self.dvc, self.top)

    def make_ready(self) -> None:
        """Set DVC up unless it is, so that it reports nothing to anyone."""
        if self.is_ready:
            return
        at_root = Dvc(self.dvc.command, self.repository.root)
        at_root.run("init")
        for key, value in _SETTINGS:
            at_root.run("config", key, value)

    def require_version(self) -> None:
        """Raises UsageError where nothing was versioned yet."""
        if not self.is_ready or not all(file.is_file() for file in self.pointer_files):
            raise UsageError(
                f"`{self.tracked.folder.path.name}` has no version yet",
                "`skincli data version` makes the first",
            )

    @property
    def _dvc_folder(self) -> Path | None:
        here = self.tracked.here
        for folder in (here, *here.parents):
            if (folder / ".dvc").is_dir():
                return folder / ".dvc"
            if folder == self.repository.root:
                return None
        return None
