"""Answers: what a network gives back, brought into one form: logits (batch, label)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from napari_medadv.errors import CardError, MedAdvError, ModelError
from napari_medadv.model.batches import rows
from napari_medadv.model.card import Card

_END = 1e-4


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Answers:
    """A network whose answers are logits (batch, label).

    Attributes
    ----------
    network
        What is asked; the first tensor counts where it gives several, and (batch,) counts as one label.
    from_probabilities
        Which activation is undone, or "".
    """

    network: Callable[[Tensor], object]
    from_probabilities: Literal["softmax", "sigmoid", ""] = ""

    def __call__(self, values: Tensor) -> Tensor:
        """Logits (batch, label).

        Raises
        ------
        ModelError
            The network gives no tensor.
        """
        try:
            found = self.network(values)
        except (RuntimeError, ValueError, IndexError, MedAdvError):
            raise
        except Exception as error:  # a person's own code may raise anything; this is what its callers await
            raise RuntimeError(f"{type(error).__name__}: {str(error).strip()}".rstrip(": ")) from error
        while isinstance(found, list | tuple) and found:
            found = found[0]
        if not isinstance(found, Tensor):
            raise ModelError(
                f"The network answers a {type(found).__name__}, and a tensor of logits (batch, label) is expected: "
                "wrap it in a module that returns its logits."
            )
        logits = rows(found, len(values))
        logits = logits.unsqueeze(1) if logits.ndim == 1 else logits
        if not logits.is_floating_point():
            raise ModelError(
                f"The network answers {str(logits.dtype).removeprefix('torch.')}, and logits are floating-point numbers: "
                "export it without arg max or threshold."
            )
        logits = logits.float()
        if self.from_probabilities == "softmax":
            return logits.clamp_min(torch.finfo(torch.float32).tiny).log()
        if self.from_probabilities == "sigmoid":
            return logits.clamp(torch.finfo(torch.float32).tiny, 1 - torch.finfo(torch.float32).eps / 2).logit()
        return logits


def undone(card: Card, usual: Tensor, extreme: Tensor, ends: bool = False) -> Literal["softmax", "sigmoid", ""]:
    """Which activation the network has applied already, judged by its answers (batch, label) to usual and extreme inputs.

    Rows that sum to 1 are a softmax, whatever the card says. Numbers from 0 to 1 are a sigmoid where the card says
    so, where the network `ends` in a sigmoid, or where they touch an end of that range: logits that happen to be small do
    not, and neither do the probabilities of a network that normalises its input.

    Raises
    ------
    CardError
        The card says probabilities, and these are none.
    """
    answers = _finite(usual, extreme)
    if card.activation == "softmax" and within(answers) and bool(((answers.sum(dim=1) - 1).abs() < _END).all()):
        return "softmax"
    touched = bool(((answers < _END) | (answers > 1 - _END)).any()) and float(answers.max() - answers.min()) > _END
    if card.activation == "sigmoid" and within(answers) and (ends or touched or card.output == "probabilities"):
        return "sigmoid"
    if card.output == "probabilities":
        what = "rows that sum to 1" if card.activation == "softmax" else "numbers from 0 to 1"
        raise CardError(
            f"The card of {card.name} says output = 'probabilities', but the network answers from {float(answers.min()):.3g} to "
            f"{float(answers.max()):.3g} and not {what}: say output = 'logits', or correct activation."
        )
    return ""


def within(*answers: Tensor) -> bool:
    """Whether all answers (batch, label) are numbers from 0 to 1; rows that are not finite do not count."""
    found = _finite(*answers)
    return bool(((found >= 0) & (found <= 1)).all())


def _finite(*answers: Tensor) -> Tensor:
    found = torch.cat(answers).double()
    return found[torch.isfinite(found).all(dim=1)]
