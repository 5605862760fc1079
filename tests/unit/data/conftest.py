"""Where the drawn data can be fetched from, and a progress that remembers what it is told."""

import copy
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from standins.dataverse import Dataverse
from standins.isic import Isic, Lesion
from standins.mirror import Mirror

from skincli import patience
from skincli.config.schema import Config
from skincli.data.raw import ARCHIVES, FILES, ISIC2018, METADATA, SEGMENTATIONS
from skincli.data.storage import SetFolder
from skincli.patience import Patience
from skincli.progress import Silent

# The levels of a diagnosis in the ISIC Archive; the last one is none of the seven.
ISIC_DIAGNOSES = (
    ("Benign", "Benign melanocytic proliferations", "Nevus"),
    ("Malignant", "Malignant melanocytic proliferations (Melanoma)", "Melanoma, NOS"),
    ("Benign", "Benign epidermal proliferations", "Seborrheic keratosis"),
    ("Benign", "Benign soft tissue proliferations - Vascular", ""),
    ("Malignant", "Malignant epidermal proliferations", "Squamous cell carcinoma, NOS"),
)


class Remembering(Silent):
    """Keeps the notes and the warnings."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture
def progress() -> Remembering:
    return Remembering()


@pytest.fixture
def own_config(synthetic_config: Config, tmp_path: Path) -> Config:
    """The drawn data in a folder of this test's own, to be changed and damaged."""
    config = copy.deepcopy(synthetic_config)
    config.data.root = str(tmp_path / "own")
    source = SetFolder.of(synthetic_config.data)
    shutil.copytree(source.raw, SetFolder.of(config.data).raw)
    return config


@pytest.fixture
def mirror_folder(synthetic_config: Config, tmp_path: Path) -> Path:
    """A folder in the published layout, filled with the drawn images."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    raw = SetFolder.of(synthetic_config.data).raw
    for name in FILES:
        shutil.copy(raw / name, folder / name)
    return folder


@pytest.fixture
def ham_config(mirror_folder: Path, tmp_path: Path) -> Config:
    config = Config()
    config.data.root = str(tmp_path / "data")
    config.data.mirror = str(mirror_folder)
    config.data.image_size = 32
    return config


@pytest.fixture
def web(mirror_folder: Path) -> Iterator[Mirror]:
    """The mirror over HTTP."""
    with Mirror(mirror_folder) as server:
        yield server


@pytest.fixture
def dataverse(mirror_folder: Path) -> Iterator[Dataverse]:
    """A Dataverse that publishes the drawn images, with the ISIC 2018 test set and masks beside."""
    with zipfile.ZipFile(mirror_folder / ARCHIVES[0]) as archive:
        images = {name: archive.read(name) for name in archive.namelist()[:4]}
    with zipfile.ZipFile(mirror_folder / ISIC2018[0], "w") as archive:
        for name, data in images.items():
            archive.writestr(f"ISIC2018_Task3_Test_Images/{name}", data)
    rows = (mirror_folder / METADATA).read_text().splitlines()[:5]
    (mirror_folder / ISIC2018[1]).write_text("\n".join(rows) + "\n")
    with zipfile.ZipFile(mirror_folder / SEGMENTATIONS, "w") as archive:
        archive.writestr("masks/SYN_0000001_segmentation.png", b"a mask")
    with Dataverse(mirror_folder) as server:
        yield server


@pytest.fixture
def dataverse_config(dataverse: Dataverse, tmp_path: Path) -> Config:
    config = Config()
    config.data.root = str(tmp_path / "data")
    config.data.image_size = 32
    config.data.download.dataverse = dataverse.url
    return config


def clinical(index: int) -> dict[str, object]:
    named = ISIC_DIAGNOSES[index % len(ISIC_DIAGNOSES)]
    levels = {f"diagnosis_{level}": name for level, name in enumerate(named, 1) if name}
    return levels | {
        "age_approx": 40 + index,
        "sex": "female",
        "anatom_site_general": "posterior torso",
        "diagnosis_confirm_type": "histopathology",
    }


@pytest.fixture
def isic(mirror_folder: Path, tmp_path: Path) -> Iterator[Isic]:
    """25 images in pages of 10: every fifth unmapped, 20 of them of collection 212."""
    folder = tmp_path / "archive"
    folder.mkdir()
    lesions = []
    with zipfile.ZipFile(mirror_folder / ARCHIVES[0]) as archive:
        for index, name in enumerate(sorted(archive.namelist())[:25]):
            file = folder / f"ISIC_{index:07d}.jpg"
            file.write_bytes(archive.read(name))
            lesion = Lesion(file.stem, file, clinical(index))
            lesion.licence = "CC-BY-NC" if index % 2 else "CC-0"
            lesion.attribution = "Hospital A" if index % 2 else "Hospital B"
            lesion.collections = {212} if index < 20 else {70}
            lesions.append(lesion)
    lesions[0].clinical |= {"lesion_id": "IL_1", "patient_id": "IP_1"}
    lesions[1].clinical |= {"patient_id": "IP_2"}
    with Isic(lesions) as server:
        server.largest_page = 10
        yield server


@pytest.fixture
def isic_config(isic: Isic, tmp_path: Path) -> Config:
    config = Config()
    config.data.source = "isic"
    config.data.root = str(tmp_path / "data")
    config.data.download.isic = isic.url
    config.data.isic.collections = [212, 70]
    return config


@pytest.fixture(autouse=True)
def quick_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a server waits for hundredths of a second."""
    monkeypatch.setattr(patience, "PATIENCE", Patience(0.01, 0.05, longest_asked=0.3))
