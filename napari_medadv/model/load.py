"""load_classifier() and attach(): a file or a module, and its card, become a `Classifier` that was tried once."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from napari_medadv.catalogue import entry, names
from napari_medadv.errors import ModelError
from napari_medadv.model.card import Card
from napari_medadv.model.card import card as card_of
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.digest import of_module
from napari_medadv.model.formats.format import Format, Opened, Source
from napari_medadv.model.place import place
from napari_medadv.model.trial import tried

FORMATS = "napari_medadv.model.formats"


def load_classifier(
    weights: Path | str, card: Path | None = None, *, device: str | torch.device = "cpu", trust_code: bool = False
) -> Classifier:
    """The classifier in a file.

    Parameters
    ----------
    weights
        The weights, their card, the folder of both, or a factory `module:callable`.
    card
        The card, where it does not lie beside the weights.
    device
        Where the network runs.
    trust_code
        Whether a factory's Python code may be run; nothing else ever runs code.

    Raises
    ------
    CardError
        The card is missing, wrong, or does not fit the network.
    ModelError
        The network cannot be opened, must not be run, or does not do what its card says.
    MissingExtra
        The format needs a package that is not installed.
    """
    found, said = place(weights, None if card is None else Path(card))
    where = _device(device)
    source = Source(found, said, where, trust_code)
    for name in names(FORMATS):
        kind: Format = entry(name, FORMATS)()
        if kind.claims(found):
            return tried(kind(source), said, where)
    known = ", ".join(entry(name, FORMATS).says for name in names(FORMATS))
    raise ModelError(f"{Path(found).name} is no network that can be opened: give one of {known}.")


def attach(
    module: nn.Module, card: Card | None = None, *, device: str | torch.device = "cpu", **said: object
) -> Classifier:
    """The classifier of a module that is in memory already; the module itself is left as it is.

    Parameters
    ----------
    module
        The network.
    card
        What it reads and says; or give the keys of a card one by one: `labels`, `activation`, `unit`, `preprocess`, ...

    Raises
    ------
    CardError
        The card is wrong, or does not fit the network.
    ModelError
        The network does not do what its card says.
    """
    if not isinstance(module, nn.Module):
        raise ModelError(f"A {type(module).__name__} was given, and an nn.Module is expected: wrap it in one.")
    found = card_of(said) if card is None else card
    where = _device(device)
    return tried(Opened(module, of_module(module)), found, where)


def _device(device: str | torch.device) -> torch.device:
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ModelError(f"{device!r} is no device of torch: say 'cpu' or 'cuda'.") from error
    if found.type not in ("cpu", "cuda"):
        raise ModelError(
            f"The device {str(found)!r} was asked for, and networks run on 'cpu' or 'cuda' here: say one of them."
        )
    if found.type == "cuda" and not torch.cuda.is_available():
        raise ModelError("The device 'cuda' was asked for, but torch finds no CUDA device here: say 'cpu'.")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise ModelError(
            f"The device {str(found)!r} was asked for, but torch finds {torch.cuda.device_count()} here: say 'cuda:0'."
        )
    return found
