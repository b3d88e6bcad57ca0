"""The seam: what a file format is asked, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from napari_medadv.errors import ModelError
from napari_medadv.model.card import Card


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be opened.

    Attributes
    ----------
    weights
        A file, or `module:callable`.
    card
        What its owner says of it.
    device
        Where it shall run.
    trust_code
        Whether Python code that it names may be run.
    """

    weights: Path | str
    card: Card
    device: torch.device
    trust_code: bool = False

    @property
    def file(self) -> Path:
        """The file of the weights."""
        return Path(self.weights)

    def content(self) -> bytes:
        """The whole file, read once: what is checked is what is opened.

        Raises
        ------
        ModelError
            It cannot be read.
        """
        try:
            return self.file.read_bytes()
        except OSError as error:
            raise ModelError(
                f"{self.file.name} cannot be read ({error.strerror or error}): check the file and its rights."
            ) from error


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A network out of a file.

    Attributes
    ----------
    network
        Batch to logits; an `nn.Module` where gradients pass.
    sha256
        Digest of the file's bytes.
    input
        Shape of one input that the file itself states, batch first; None where a length is free; () where it is silent.
    white_box
        Whether gradients can reach the input.
    """

    network: Callable[[Tensor], object]
    sha256: str
    input: tuple[int | None, ...] = ()
    white_box: bool = True


class Format(Protocol):
    """One way in which networks are stored."""

    says: ClassVar[str]
    """The format in a few words, for the sentence that lists them."""

    def claims(self, weights: Path | str) -> bool:
        """Whether these weights are of this format, by content first and suffix second."""
        ...

    def __call__(self, source: Source) -> Opened:
        """The network, on the source's device.

        Raises
        ------
        ModelError
            The file is broken, or holds what must not be run.
        """
        ...
