"""A bare state_dict, a .pth or .pt file of `torch.save`: only tensors are unpickled, everything else is refused."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import ClassVar

import torch

from napari_medadv.errors import ModelError
from napari_medadv.model.digest import of_content
from napari_medadv.model.formats.architecture import build, fill
from napari_medadv.model.formats.format import Opened, Source
from napari_medadv.model.formats.records import records

_SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".pkl", ".tar")
_OTHERS = ("archive_format", "serialized_exported_program.json", "constants.pkl")


class StateDict:
    """Weights by name; the card names the network."""

    says: ClassVar[str] = "a state_dict (.pth, .pt) with a named MONAI architecture"

    def claims(self, weights: Path | str) -> bool:
        """A torch archive of one pickle, or a file with a suffix of `torch.save`."""
        inside = records(weights)
        if inside:
            return "data.pkl" in inside and not any(name in _OTHERS or name.startswith("code/") for name in inside)
        return isinstance(weights, Path) and weights.suffix.lower() in _SUFFIXES

    def __call__(self, source: Source) -> Opened:
        """The network that the card names, with these weights."""
        content = source.content()
        weights = _tensors(content, source.file.name)
        network = build(source)
        fill(network, weights, source)
        return Opened(network, of_content(content))


def _tensors(content: bytes, name: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, on how the file was written
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises nearly everything on bytes that are no weights
        named = re.search(r"GLOBAL (\S+)", str(error))
        if named:
            raise ModelError(
                f"{name} is a pickle that would run {named[1]!r}, and no pickle is run: save network.state_dict() and name its "
                "[architecture] in the card, export the network with torch.export, or name a factory `module:callable` and trust its code."
            ) from error
        raise ModelError(
            f"{name} holds no weights that torch can read without running code: save network.state_dict(), "
            "or export the network with torch.export."
        ) from error
