"""Image bytes to a checked RGB image, and that to the network's uint8 input.

`data prepare`, `evaluate`, `predict` and `serve` all come through here, so that what a model is
trained on and what it is asked about cannot drift apart.
"""

from skincli.imaging.decoding import decode, open_image, read_header, read_input, read_picture
from skincli.imaging.framing import network_input
from skincli.imaging.header import Conversion, Header, OpenImage
from skincli.imaging.limits import FORMATS, IMAGE_SUFFIXES, Limits, Pixels

__all__ = [
    "FORMATS",
    "IMAGE_SUFFIXES",
    "Conversion",
    "Header",
    "Limits",
    "OpenImage",
    "Pixels",
    "decode",
    "network_input",
    "open_image",
    "read_header",
    "read_input",
    "read_picture",
]
