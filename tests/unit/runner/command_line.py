"""`skincli runner-setup` as it is typed, for a place of the tests."""

import sys

from commands import Done, spawn
from typer.testing import CliRunner

from skincli.cli.app import app
from skincli.runner import registered

# The installed command, but for where it asks for the newest runner.
PROGRAM = """
import sys
from skincli.cli import main
from skincli.runner import registered
registered.NEWEST_RUNNER = sys.argv.pop(1)
sys.exit(main())
"""


class Command:
    """The command in a folder, for a place."""

    def __init__(self, place, folder):
        self.place = place
        self.folder = folder
        self.environ = place.environ | {"SKINCLI__RUNNER__API": place.github.url}
        self.environ["SKINCLI__RUNNER__REPO"] = place.repository
        self.program = (sys.executable, "-c", PROGRAM, registered.NEWEST_RUNNER)

    def __call__(self, *words, code=0, **environ):
        told = {"NO_COLOR": "1", "COLUMNS": "120"} | self.environ | environ
        done = CliRunner().invoke(app, ["runner-setup", *words], env=told)
        return self._checked(Done(done.exit_code, done.stdout, done.stderr), code)

    def installed(self, *words, code=0):
        process = self.spawn(*words)
        out, err = process.communicate(timeout=60)
        return self._checked(Done(process.returncode, out, err), code)

    def _checked(self, done, code):
        assert done.code == code, done
        self.place.assert_token_stayed_secret(done.out, done.err)
        return done

    def spawn(self, *words):
        told = {"program": self.program} | self.environ
        return spawn(self.folder, "runner-setup", *words, **told)

    def assert_nothing_left(self):
        """The token is in no file but in those in which the stand-ins keep what they were told."""
        kept = self.place.docker.folder
        for path in self.folder.parent.rglob("*"):
            if path.is_file() and kept not in path.parents:
                assert self.place.token.encode() not in path.read_bytes(), path
