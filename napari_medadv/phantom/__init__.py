"""A procedural chest CT: every seed is another person, and every nodule is known."""

from __future__ import annotations

from napari_medadv.phantom.chest import chest_ct
from napari_medadv.phantom.nodules import Nodule

__all__ = ["Nodule", "chest_ct"]
