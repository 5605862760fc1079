"""The places that images come from, one module each."""

from collections.abc import Mapping
from typing import Final

from skincli.config.data import SourceName
from skincli.data.sources import dermamnist, folder, ham10000, isic, isic2018, synthetic
from skincli.data.sources.base import Source

SOURCES: Final[Mapping[SourceName, Source]] = {
    "ham10000": ham10000,
    "isic2018": isic2018,
    "isic": isic,
    "dermamnist": dermamnist,
    "synthetic": synthetic,
    "folder": folder,
}
