"""A Python factory `module:callable` that makes the network: the only format that runs code, and only when trusted."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import ClassVar

from torch import nn

from napari_medadv.errors import ModelError
from napari_medadv.model.digest import of_module
from napari_medadv.model.formats.format import Opened, Source
from napari_medadv.model.place import is_factory


class Factory:
    """A callable without arguments that returns an `nn.Module`."""

    says: ClassVar[str] = "a Python factory `module:callable`"

    def claims(self, weights: Path | str) -> bool:
        """A text of two dotted names with a colon between."""
        return is_factory(weights)

    def __call__(self, source: Source) -> Opened:
        """What the callable returns."""
        path, _, name = str(source.weights).partition(":")
        if not source.trust_code:
            raise ModelError(
                f"{source.weights} is Python code, which is run only when you say that you trust it: "
                "add --trust-code (trust_code=True), or attach an exported network."
            )
        try:
            made = getattr(importlib.import_module(path), name)()
        except Exception as error:  # a person's own code may raise anything
            words = (str(error).strip().splitlines() or [""])[0][:160]
            raise ModelError(
                f"{source.weights} made no network ({type(error).__name__}: {words}): is {path} on PYTHONPATH, "
                f"and is {name} a callable without arguments?"
            ) from error
        if not isinstance(made, nn.Module):
            raise ModelError(f"{source.weights} returned a {type(made).__name__}, and an nn.Module is expected.")
        return Opened(made, of_module(made))
