"""A plain web server over a folder, as one that mirrors published files."""

from pathlib import Path

from standins.sending import send_file
from standins.server import Asked, Handler, StandIn


class Mirror(StandIn):
    """`honours_range` is what nginx does and `python -m http.server` does not."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.honours_range = True

    def answer(self, asked: Asked, handler: Handler) -> None:
        path = self.folder / asked.path.lstrip("/")
        if not path.is_file():
            handler.reply(404)
            return
        send_file(self, handler, path.name, path, self.honours_range)
