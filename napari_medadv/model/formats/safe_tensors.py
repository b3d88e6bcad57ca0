"""safetensors, https://github.com/huggingface/safetensors: bare weights without a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from safetensors import SafetensorError
from safetensors.torch import load

from napari_medadv.errors import ModelError
from napari_medadv.model.digest import of_content
from napari_medadv.model.formats.architecture import build, fill
from napari_medadv.model.formats.format import Opened, Source


class SafeTensors:
    """Weights by name; the card names the network."""

    says: ClassVar[str] = "safetensors with a named MONAI architecture"

    def claims(self, weights: Path | str) -> bool:
        """By suffix."""
        return isinstance(weights, Path) and weights.suffix.lower() == ".safetensors"

    def __call__(self, source: Source) -> Opened:
        """The network that the card names, with these weights."""
        content = source.content()
        try:
            weights = load(content)
        except (SafetensorError, ValueError, KeyError) as error:
            raise ModelError(
                f"{source.file.name} is no intact safetensors file ({error}): copy or save it again."
            ) from error
        network = build(source)
        fill(network, weights, source)
        return Opened(network, of_content(content))
