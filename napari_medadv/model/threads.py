"""Threads: how many are fastest for a network on this machine; asked once in a process for each network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from napari_medadv.errors import MedAdvError
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.intake import Intake
from napari_medadv.volume import Volume

TRIALS = 2
BRIEF = 0.01
"""Seconds: a network that answers sooner gets one thread."""

WORTH = 0.9
"""More threads are taken where they need no more than this share of the time of fewer: cores that gain little are left to others."""

_known: dict[tuple[str, tuple[int, ...], int], int] = {}


def fastest_threads(classifier: Classifier, volume: Volume) -> int:
    """The fewest threads that classify one input of `volume` about as fast as can be; never more than torch has now.

    Parameters
    ----------
    classifier
        Who is asked.
    volume
        Whose first slice (or all of it, where volumes are read) is tried.
    """
    most = torch.get_num_threads()
    if most == 1 or classifier.device.type != "cpu":
        return most
    key = (classifier.sha256 or classifier.name, volume.shape[1:], most)
    if key not in _known:
        _known[key] = _tried(classifier, volume, most)
    return _known[key]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads inside, as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _tried(classifier: Classifier, volume: Volume, most: int) -> int:
    first = np.array([0])
    try:
        values, intake = classifier.tensor(volume, first), classifier.intake(volume, first)
        with torch.no_grad():
            classifier.logits(values, intake)
            best, least = 1, _seconds(classifier, values, intake, 1)
            for count in sorted({most, *(2**power for power in range(1, most.bit_length()) if 2**power < most)}):
                took = _seconds(classifier, values, intake, count) if least > BRIEF else least
                if took <= WORTH * least:
                    best, least = count, took
    except (RuntimeError, MedAdvError):
        return most
    return best


def _seconds(classifier: Classifier, values: Tensor, intake: Intake, count: int) -> float:
    """The least wall time of one answer with so many threads."""
    found = float("inf")
    with threads(count):
        for _ in range(TRIALS):
            began = time.perf_counter()
            classifier.logits(values, intake)
            found = min(found, time.perf_counter() - began)
    return found
