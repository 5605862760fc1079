"""A whole page around a body: its styles, for light and dark, wide and narrow, screen and paper."""

from importlib.resources import files
from string import Template

from skincli import __version__
from skincli.pages.markup import Html, element, join


def page(title: str, body: Html) -> str:
    """The document. A page may load nothing from anywhere, and says so to the browser."""
    note = f"Made by skincli {__version__}. Research software, not a medical device."
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    whole = join((body, element("footer", note)))
    return Template(template).substitute(title=join((title,)), body=whole)
