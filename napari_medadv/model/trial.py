"""The trial of a network: that it takes what its card says, and answers with logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_medadv.errors import CardError, ModelError
from napari_medadv.model.answers import Answers, undone, within
from napari_medadv.model.apart import apart
from napari_medadv.model.batches import Batches, filled
from napari_medadv.model.card import Card
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.formats.format import Opened
from napari_medadv.model.prepared import Prepared, gradient, prepare, still
from napari_medadv.model.probes import extremes, open_size, probes
from napari_medadv.model.room import fitting, kept_bytes
from napari_medadv.model.unactivated import ends_in, unactivated

_CLOSE = 1e-3

BATCH = 8
"""Inputs at once of a network that was stored for some number, or gives no gradient."""


def tried(opened: Opened, card: Card, device: torch.device) -> Classifier:
    """The classifier of an opened network, if it does what the card says.

    Raises
    ------
    CardError
        Labels or output do not fit the network.
    ModelError
        The network refuses its input, answers NaN, or not the same each time.
    """
    network = opened.network
    if isinstance(network, nn.Module):
        network = still(network, device)
    size = opened.input[0] if opened.input else None
    asked = Batches(Prepared(network) if isinstance(network, nn.Module) else network, size)
    channels, values, usual = _accepted(Answers(asked), opened, card, device)
    if isinstance(network, nn.Module):
        network = apart(network, filled(values, size or len(values)))
        asked = Batches(Prepared(network), size)
    _sound(Answers(asked), values, usual, card)
    with torch.no_grad():
        extreme = Answers(asked)(extremes(values))
    activation = undone(card, usual, extreme, isinstance(network, nn.Module) and ends_in(network, "sigmoid"))
    facts: list[str] = []
    if activation:
        facts.append(f"The network answers {activation} probabilities, which are turned back into logits.")
    elif card.activation == "sigmoid" and within(usual, extreme):
        facts.append(
            "The network answers made-up images with numbers from 0 to 1, which are taken for logits: "
            "if they are probabilities, say output = 'probabilities' in its card."
        )
    if isinstance(network, nn.Module):
        probe = filled(values, size or len(values))
        bare = unactivated(network, activation, probe) if activation else None
        activation = "" if bare else activation
        asked = Batches(prepare(bare or network, probe), size)
    found = Answers(asked, activation)
    white_box = opened.white_box and _differentiable(found, values)
    if not white_box:
        facts.append("No usable gradient reaches the network's input: it answers queries only.")
    taken = kept_bytes(found, values[: size or 1]) if white_box else 0
    alone = size or card.reads == "volume" or not white_box
    return Classifier(
        found,
        card.findings,
        card.unit,
        card.reads,
        card.pooling,
        card.preprocess,
        white_box,
        card.name,
        opened.sha256,
        device,
        batch=BATCH if alone else fitting(taken, values),
        channels=channels,
        facts=tuple(facts),
        kept=taken / values[: size or 1].numel(),
    )


def _accepted(network: Answers, opened: Opened, card: Card, device: torch.device) -> tuple[int, Tensor, Tensor]:
    """The channels of a series that the network reads, a probe as it gets it, and its answer.

    The channels are 0 where the steps make the same of grey and of colour, as `grey` does.
    """
    refusals: list[tuple[Tensor, str]] = []
    shapes: list[list[int]] = []
    tries = probes(card, opened.input, device)
    for channels, values in tries:
        shapes.append(list(values.shape[1:]))
        if card.input and shapes[-1] != list(card.input):
            continue
        try:
            with torch.no_grad():
                answer = network(values.clone())
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            lines = str(error).strip().splitlines()
            refusals.append((values, lines[0][:200] if lines else type(error).__name__))
            continue
        alike = any(other.shape == values.shape for _, other in tries)
        return 0 if alike else channels, values, answer
    if not refusals:
        raise CardError(
            f"The card of {card.name} says input = {list(card.input)}, but its steps give {' or '.join(map(str, shapes))}: correct either."
        )
    values, words = refusals[0]
    given = list(values.shape[1:])
    for other in (1, 2, 3, 4):
        if other != values.shape[1] and _takes(network, values[:, :1].expand(-1, other, *values.shape[2:])):
            remedy = (
                f"add a `repeat` step with channels = {other}"
                if values.shape[1] == 1
                else "add a `grey` step, or take the `repeat` step out"
                if other == 1
                else "correct the channels in its steps"
            )
            raise ModelError(
                f"The network of {card.name} reads {other} channels, but its card's steps give {values.shape[1]}: {remedy}."
            )
    if open_size(card, opened.input):
        raise ModelError(
            f"The network of {card.name} refuses an input of shape {given} ({words}), and its card does not say what it takes: "
            "add a `resize` step, or the key `input`."
        )
    raise ModelError(
        f"The network of {card.name} refuses the input of shape {given} that its card's steps give ({words}): "
        "correct sizes, channels or `reads` in the card."
    )


def _takes(network: Answers, values: Tensor) -> bool:
    try:
        with torch.no_grad():
            network(values)
    except (RuntimeError, ValueError, IndexError, TypeError, ModelError):
        return False
    return True


def _sound(network: Answers, values: Tensor, usual: Tensor, card: Card) -> None:
    wanted = len(card.labels)
    if usual.ndim != 2 or usual.shape != (len(values), wanted):
        answered = list(usual.shape[1:])
        raise CardError(
            f"The network of {card.name} answers {answered[0] if len(answered) == 1 else answered} numbers to one input, "
            f"and the card names {wanted} labels: correct `labels`."
        )
    if not bool(torch.isfinite(usual).all()):
        raise ModelError(
            f"The network of {card.name} answers NaN or infinity to an ordinary input: check its weights, and the card's unit and steps."
        )
    with torch.no_grad():
        alone, again = network(values[:1]), network(values[:1])
    if _differ(alone, again):
        raise ModelError(
            f"The network of {card.name} answers differently each time it is asked, as dropout does in training: "
            "call eval() before it is exported."
        )
    if _differ(alone, usual[:1]):
        raise ModelError(
            f"The network of {card.name} answers one image differently in other company, as batch norms do in training: "
            "call eval() before it is exported."
        )


def _differ(first: Tensor, second: Tensor) -> bool:
    return bool(((first - second).abs() > _CLOSE * (1 + first.abs())).any())


def _differentiable(network: Answers, values: Tensor) -> bool:
    found = gradient(network, values[:1])
    return found is not None and bool(torch.isfinite(found).all())
