"""Arithmetic: how wide the numbers are with which gradients are taken, by a probe on this machine."""

from __future__ import annotations

import time
import weakref
from typing import Literal

import torch
from torch import Tensor

from napari_medadv.errors import ModelError
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.intake import Intake

Arithmetic = Literal["auto", "float32", "bfloat16"]
"""Of the network where a gradient is taken; decisions are always float32. "auto" is what a probe finds."""

Settled = Literal["float32", "bfloat16"]

GAIN = 1.25
"""How many times as fast bfloat16 must be to be taken."""

LIKENESS = 0.9
"""The least cosine between the two gradients of an input."""

BRIEF = 0.004
"""Seconds: a network that takes no longer for an input has nothing to gain."""

_known: weakref.WeakKeyDictionary[object, dict[tuple[object, ...], Settled]] = weakref.WeakKeyDictionary()


def swiftest(classifier: Classifier, values: Tensor, intake: Intake) -> Settled:
    """With which arithmetic the gradients of this classifier are taken fastest, and still point the same way.

    One input goes forward and back in either; what was found is kept for the process.

    Parameters
    ----------
    classifier
        White-box.
    values, intake
        As for `Classifier.logits`; the first entry is tried.
    """
    if not classifier.white_box or not _able(values.device):
        return "float32"
    key = (tuple(values.shape[1:]), torch.get_num_threads(), str(values.device), classifier.steps)
    try:
        known = _known.setdefault(classifier.network, {})
    except TypeError:  # neither hashable nor weakly held: asked each time
        return _tried(classifier, values[:1], intake.take(slice(0, 1)))
    if key not in known:
        known[key] = _tried(classifier, values[:1], intake.take(slice(0, 1)))
    return known[key]


def _able(device: torch.device) -> bool:
    """Whether the processor has instructions for bfloat16; without, it may be slower a hundred times."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _tried(classifier: Classifier, values: Tensor, intake: Intake) -> Settled:
    """Once for the first time, which counts for nothing but a network that is brief anyway, then timed."""
    try:
        exact, first = _gradient(classifier, values, intake, short=False)
        if first < BRIEF:
            return "float32"
        rough, _ = _gradient(classifier, values, intake, short=True)
        likeness = torch.nn.functional.cosine_similarity(rough.flatten(), exact.flatten(), dim=0)
        if not float(likeness) >= LIKENESS:
            return "float32"
        took = [min(_gradient(classifier, values, intake, short=short)[1] for _ in range(2)) for short in (False, True)]
    except (RuntimeError, ModelError):
        return "float32"
    return "bfloat16" if took[0] >= GAIN * took[1] else "float32"


def _gradient(classifier: Classifier, values: Tensor, intake: Intake, *, short: bool) -> tuple[Tensor, float]:
    """The gradient of a weighted sum of the logits, and the seconds it took: of the processor, or of a graphics card's clock."""
    kind = values.device.type
    clock = time.process_time if kind == "cpu" else time.perf_counter
    _wait(kind)
    began = clock()
    inputs = values.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        with torch.autocast(kind, torch.bfloat16, enabled=short):
            logits = classifier.logits(inputs, intake).float()
        weights = torch.linspace(0.5, 1.5, logits.shape[1], device=logits.device)
        (found,) = torch.autograd.grad((logits * weights).sum(), inputs)
    _wait(kind)
    return found, clock() - began


def _wait(kind: str) -> None:
    if kind == "cuda":
        torch.cuda.synchronize()
