"""What a bundle's network says of images, and what that means by the bundle."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skincli.bundle import Bundle, Conformal
from skincli.imaging import Pixels
from skincli.inference.novelty import Reference, sharpness, texture
from skincli.inference.session import open_session
from skincli.taxonomy import ClassInfo

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network says of N images: `logits [N, C]`, `features [N, D]`, `cam [N, C, h, w]`."""

    logits: Floats
    features: Floats
    cam: Floats


class Network:
    """An ONNX file as a function of uint8 images `[N, size, size, 3]`. Safe to share by threads.

    Where the model looks at several views of an image, fewer images are passed at once, so that
    memory is that of N images seen once.
    """

    def __init__(self, model: Path, threads: int = 0, views: int = 1) -> None:
        """`threads` of 0 takes one per core that this process may use. Raises ModelError."""
        self._views = views
        self._session = open_session(model, threads)

    @property
    def provider(self) -> str:
        """What runs the network, in ONNX Runtime's words, such as `CUDAExecutionProvider`."""
        return str(self._session.get_providers()[0])

    def __call__(self, images: Pixels) -> Outputs:
        step = max(1, math.ceil(len(images) / self._views))
        parts = [
            self._session.run(
                ["logits", "features", "cam"],
                {"images": np.ascontiguousarray(images[start : start + step])},
            )
            for start in range(0, max(1, len(images)), step)
        ]
        logits, features, cam = (np.concatenate(values) for values in zip(*parts, strict=True))
        return Outputs(logits, features, cam)


@dataclass(frozen=True, slots=True)
class Scores:
    """Calibrated `probabilities [N, C]` and the `malignant [N]` probability of N images.

    `decided [N]` are the diagnoses: places of classes. `conformal [N, C]` says which classes belong
    to the set of an image. `novelty [N]` is above 1 out of distribution; `blurred [N]` are less
    sharp than any calibration image.
    """

    probabilities: Floats
    decided: NDArray[np.intp]
    malignant: Floats
    conformal: Flags
    novelty: Floats
    blurred: Flags
    cam: Floats


class Classifier:
    """A bundle ready to answer: images in, calibrated probabilities out."""

    def __init__(self, bundle: Bundle, threads: int = 0) -> None:
        self.bundle = bundle
        self.spec = bundle.spec
        self._network = Network(bundle.model, threads, bundle.spec.views)
        self._reference = Reference.load(bundle.reference)

    @property
    def provider(self) -> str:
        """What runs the network, as `Network.provider` has it."""
        return self._network.provider

    def score(self, images: Pixels) -> Scores:
        """Scores of uint8 images `[N, size, size, 3]`."""
        outputs, spec = self._network(images), self.spec
        probabilities = softmax(outputs.logits, spec.temperature)
        decided = decide(probabilities, spec.decision_weights)
        seen, limits = texture(images), spec.out_of_distribution
        return Scores(
            probabilities=probabilities,
            decided=decided,
            malignant=malignant_probability(probabilities, spec.classes),
            conformal=conformal_sets(probabilities, decided, spec.conformal),
            novelty=self._reference.novelty(limits, outputs.features, seen),
            blurred=sharpness(seen) < np.float32(limits.least_sharpness),
            cam=outputs.cam,
        )

    def score_batches(self, images: Pixels, batch_size: int) -> Iterator[Scores]:
        """Scores of many images, `batch_size` at a time, so that memory stays flat."""
        for start in range(0, len(images), batch_size):
            yield self.score(images[start : start + batch_size])


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities `[N, C]` of logits `[N, C]` divided by `temperature` (Guo et al. 2017)."""
    scaled = logits.astype(np.float64) / temperature
    exponent = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: Floats = (exponent / exponent.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


def decide(probabilities: Floats, weights: Sequence[float]) -> NDArray[np.intp]:
    """The class `[N]` of the largest weighted probability `[N, C]`, the first one winning a tie.

    With weights of one over the classes' frequencies this is Bayes' rule for balanced accuracy
    (logit adjustment after the fact: Menon et al., arXiv:2007.07314). Probabilities stay as they
    are, which is best for ranking and calibration.
    """
    result: NDArray[np.intp] = (probabilities * np.asarray(weights)).argmax(axis=1)
    return result


def conformal_sets(probabilities: Floats, decided: NDArray[np.intp], conformal: Conformal) -> Flags:
    """Which classes `[N, C]` belong to the sets; the diagnosis always does."""
    # In float32, as the thresholds were fitted: the image that set one is within it.
    thresholds = np.asarray(conformal.thresholds, dtype=np.float32)
    sets: Flags = np.float32(1) - probabilities <= thresholds
    sets[np.arange(len(sets)), decided] = True
    return sets


def malignant_probability(probabilities: Floats, classes: tuple[ClassInfo, ...]) -> Floats:
    """The sum `[N]` over the malignant classes: every model answers benign or malignant."""
    malignant = [index for index, info in enumerate(classes) if info.malignant]
    result: Floats = probabilities[:, malignant].sum(axis=1)
    return result
