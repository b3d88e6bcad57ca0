"""Derivation: what was done to an image, and by what, as every derived file tells it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from napari_medadv.dicom.meaning import ADVERSARIAL

LONGEST_TEXT = 1024
"""Derivation Description is a short text (ST) of at most this many characters."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a derived series came about.

    Attributes
    ----------
    text
        Attack, budget in native unit, model hash, seed: for Derivation Description, at most 1,024 characters, without any identity.
    label
        A few words added to the Series Description, such as "PGD 8 HU".
    manufacturer, model, version
        Who made it (Contributing Equipment).
    adversarial
        Whether an attack changed the pixels; False for other derived images, which are marked as synthetic all the same.
    moment
        When it was made. None writes no date, so that the same work gives the same bytes again.
    """

    text: str
    label: str = ""
    manufacturer: str = "napari-medadv"
    model: str = "medadv"
    version: str = ""
    adversarial: bool = True
    moment: datetime | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("a derived image must tell how it was derived")
        if len(self.text) > LONGEST_TEXT:
            raise ValueError(f"a derivation is told in at most {LONGEST_TEXT} characters, not {len(self.text)}")
        if "\\" in self.text + self.label:
            raise ValueError("a derivation cannot hold a backslash: DICOM takes it as a separator")

    @property
    def mark(self) -> str:
        """What the Series Description begins with."""
        return f"[{ADVERSARIAL} TEST]" if self.adversarial else "[SYNTHETIC]"


def derived_uid(*sources: str) -> str:
    """A UID that depends on nothing but its sources: the same work gives the same UID (2.25, PS3.5 B.2)."""
    digest = hashlib.sha256("\0".join(sources).encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"
