"""Peers: detectors of the Adversarial Robustness Toolbox and feature squeezing as published, scored beside ours; imported late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_medadv.attacks import perturb
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.audit.detection.cases import Scene
from napari_medadv.detect.features import layers
from napari_medadv.detect.suspect import Suspect, suspects
from napari_medadv.errors import MissingExtra
from napari_medadv.model.classifier import Classifier
from napari_medadv.threat import Amount, Confuse, Threat
from napari_medadv.volume import Volume

Floats = npt.NDArray[np.float32]

_SEEN = 2.0


class Peer(Protocol):
    """A detector that is not ours: it learns once from the reference images, then gives one score an image."""

    @property
    def name(self) -> str:
        """A few words."""
        ...

    def learn(self, clean: Sequence[Volume], scene: Scene, seed: int) -> None:
        """Make ready; a supervised one attacks the clean images first, by FGSM of 2 grey levels."""
        ...

    def __call__(self, classifier: Classifier, volume: Volume) -> float:
        """How suspicious: the higher the more."""
        ...


def peers() -> tuple[Peer, ...]:
    """All of them, not ready yet."""
    return (FeatureSqueezing(), BinaryActivation(), BinaryInput(), SubsetScanning())


@dataclass(slots=True)
class FeatureSqueezing:
    """Feature squeezing (Xu, Evans and Qi 2017): 5 bits, a 2 x 2 median and non-local means (11-3-4); the largest L1 distance."""

    name: str = "feature squeezing (Xu et al.)"
    _made: list[Any] = field(default_factory=list)

    def learn(self, clean: Sequence[Volume], scene: Scene, seed: int) -> None:
        """ART's two filters are made."""
        _art()
        from art.defences.preprocessor import FeatureSqueezing as Bits
        from art.defences.preprocessor import SpatialSmoothing

        self._made = [Bits(clip_values=(0.0, 1.0), bit_depth=5), SpatialSmoothing(window_size=2, channels_first=True)]

    def __call__(self, classifier: Classifier, volume: Volume) -> float:
        """The largest distance of the probabilities, over the filters and slices."""
        worst = 0.0
        for suspect in suspects(classifier, volume):
            low, width = suspect.window[0], suspect.range
            planes = ((suspect.values - low) / width).clamp(0, 1)
            flat = planes.reshape(-1, planes.shape[1], *planes.shape[-2:]) if planes.shape[2] == 1 else None
            if flat is None:
                flat = planes.transpose(1, 2).reshape(-1, planes.shape[1], *planes.shape[-2:])
            plain = _probabilities(classifier, suspect, suspect.values)
            for filtered in (*(made(flat.numpy())[0] for made in self._made), _non_local(flat.numpy())):
                found = torch.from_numpy(np.ascontiguousarray(filtered, np.float32))
                shape = (planes.shape[0], planes.shape[2], planes.shape[1], *planes.shape[-2:])
                back = found.reshape(shape).transpose(1, 2) * width + low
                other = _probabilities(classifier, suspect, back)
                worst = max(worst, float(np.abs(plain - other).sum(axis=1).max()))
        return worst


@dataclass(slots=True)
class BinaryActivation:
    """ART's binary detector on the last layer's features, trained on clean images and on FGSM of 2 grey levels."""

    name: str = "ART BinaryActivationDetector"
    _fitted: Any = None
    _scale: tuple[Floats, Floats] | None = None

    def learn(self, clean: Sequence[Volume], scene: Scene, seed: int) -> None:
        """Attack the clean images, then train."""
        _art()
        good = _features(scene.classifier, clean)
        bad = _features(scene.classifier, _seen(clean, scene, seed))
        middle, spread = good.mean(axis=0), good.std(axis=0) + 1e-6
        self._scale = (middle, spread)
        network = _seeded(lambda: nn.Sequential(nn.Linear(good.shape[1], 64), nn.ReLU(), nn.Linear(64, 2)), seed)
        self._fitted = _trained(network, (good - middle) / spread, (bad - middle) / spread, seed, epochs=40)

    def __call__(self, classifier: Classifier, volume: Volume) -> float:
        """The difference of its two logits."""
        assert self._scale is not None
        middle, spread = self._scale
        return _judged(self._fitted, (_features(classifier, [volume]) - middle) / spread)


@dataclass(slots=True)
class BinaryInput:
    """ART's binary detector on the image, a small network, trained on clean images and on FGSM of 2 grey levels."""

    name: str = "ART BinaryInputDetector"
    _fitted: Any = None

    def learn(self, clean: Sequence[Volume], scene: Scene, seed: int) -> None:
        """Attack the clean images, then train."""
        _art()
        good, bad = _images(clean), _images(_seen(clean, scene, seed))

        def network() -> nn.Module:
            convolutions = [
                nn.Conv2d(good.shape[1], 16, 5, stride=2),
                nn.ReLU(),
                nn.Conv2d(16, 16, 3, stride=2),
                nn.ReLU(),
            ]
            return nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, 2))

        self._fitted = _trained(_seeded(network, seed), good, bad, seed, epochs=15)

    def __call__(self, classifier: Classifier, volume: Volume) -> float:
        """The difference of its two logits."""
        return _judged(self._fitted, _images([volume]))


@dataclass(slots=True)
class SubsetScanning:
    """ART's subset scanning (McFowland, Speakman and Neill 2013) of the last layer's features."""

    name: str = "ART SubsetScanningDetector"
    _fitted: Any = None

    def learn(self, clean: Sequence[Volume], scene: Scene, seed: int) -> None:
        """Keep the clean images' features."""
        _art()
        from art.defences.detector.evasion import SubsetScanningDetector

        good = _features(scene.classifier, clean)
        through = nn.Sequential(nn.Identity(), nn.Linear(good.shape[1], 2))
        self._fitted = SubsetScanningDetector(_estimator(through, good.shape[1:]), good, layer=0, verbose=False)

    def __call__(self, classifier: Classifier, volume: Volume) -> float:
        """The score of the most anomalous subset of features."""
        features = _features(classifier, [volume])
        found, _, _ = self._fitted.scan(features, features)
        return float(np.max(found))


def _art() -> None:
    try:
        import art.defences.detector.evasion  # noqa: F401  only whether it is there
    except ImportError as error:
        raise MissingExtra("art", "peers", "a comparison with ART") from error


def _seen(clean: Sequence[Volume], scene: Scene, seed: int) -> list[Volume]:
    whole = scene.classifier.reads == "volume"
    return [
        perturb(
            scene.classifier,
            volume,
            Threat(Confuse(), Amount(_SEEN, "grey").budget("Linf", volume, whole=whole)),
            FGSM(),
            seed=seed,
        ).adversarial
        for volume in clean
    ]


def _features(classifier: Classifier, volumes: Sequence[Volume]) -> Floats:
    """float32, (slice, feature)."""
    if len(volumes) == 1:
        return _of_one(classifier, volumes[0])
    return np.concatenate([_of_one(classifier, volume) for volume in volumes])


@lru_cache(maxsize=2)
def _of_one(classifier: Classifier, volume: Volume) -> Floats:
    """The same of one volume, kept: two peers ask for it."""
    with torch.no_grad():
        found = [layers(suspect, 0)[-1] for suspect in suspects(classifier, volume)]
    return torch.cat(found).cpu().numpy().astype(np.float32)


def _images(volumes: Sequence[Volume]) -> Floats:
    """float32, (slice, channel, y, x), 0 to 1 in the window, less a 3 x 3 mean: what an attack changes is fine."""
    planes = []
    for volume in volumes:
        low, high = volume.window.limits
        values = torch.from_numpy(volume.values(np.arange(len(volume.voxels)))).float()
        values = values.movedim(3, 1) if volume.colour else values[:, None]
        values = (values - low) / (high - low or 1.0)
        planes.append((values - nn.functional.avg_pool2d(values, 3, 1, 1)) * 20)
    found: Floats = torch.cat(planes).numpy().astype(np.float32)
    return found


def _seeded(make: Any, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made: nn.Module = make()
    return made


def _estimator(network: nn.Module, shape: tuple[int, ...]) -> Any:
    from art.estimators.classification import PyTorchClassifier

    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    return PyTorchClassifier(
        network, loss=nn.CrossEntropyLoss(), optimizer=optimizer, input_shape=shape, nb_classes=2, device_type="cpu"
    )


def _trained(network: nn.Module, good: Floats, bad: Floats, seed: int, epochs: int) -> Any:
    from art.defences.detector.evasion import BinaryInputDetector

    detector = BinaryInputDetector(_estimator(network, good.shape[1:]))
    truth = np.repeat(np.eye(2, dtype=np.float32), [len(good), len(bad)], axis=0)
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            detector.fit(np.concatenate([good, bad]), truth, batch_size=16, nb_epochs=epochs)
    finally:
        np.random.set_state(state)
    return detector


def _judged(detector: Any, inputs: Floats) -> float:
    report, _ = detector.detect(np.asarray(inputs, np.float32))
    return float((report["predictions"][:, 1] - report["predictions"][:, 0]).max())


def _probabilities(classifier: Classifier, suspect: Suspect, values: Tensor) -> npt.NDArray[np.float64]:
    with torch.no_grad():
        return classifier.probabilities(classifier.logits(values, suspect.intake))


def _non_local(planes: Floats) -> Floats:
    from skimage.restoration import denoise_nl_means

    found = [
        [denoise_nl_means(channel, patch_size=3, patch_distance=5, h=4 / 255) for channel in plane] for plane in planes
    ]
    return np.asarray(found, np.float32)
