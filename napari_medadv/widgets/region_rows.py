"""RegionRows: where the adversary may act, as rows of a form: a drawn layer, and slices."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QFormLayout, QLabel, QSpinBox

from napari_medadv.display import Loaded
from napari_medadv.errors import ThreatError
from napari_medadv.threat import Region
from napari_medadv.volume import Volume
from napari_medadv.widgets.panel import Ties, box, row
from napari_medadv.widgets.regions import drawn, mask_of
from napari_medadv.widgets.stage import Stage

_EVERYWHERE = "whole image"


class RegionRows:
    """A row for the layer, and one or two for the slices of a stack."""

    def __init__(self, rows: QFormLayout, stage: Stage, ties: Ties) -> None:
        self._rows, self._stage = rows, stage
        self.layer = box(
            (_EVERYWHERE,),
            "Paint in a Labels layer, or draw outlines in a Shapes layer (they hold through all slices).",
        )
        self.slices = box(("all", "the one shown", "from – to"), "Which slices may be changed.")
        self.first, self.last = QSpinBox(), QSpinBox()
        self._between = row(self.first, QLabel("–"), self.last)
        for words, field in (("Region", self.layer), ("Slices", self.slices), ("", self._between)):
            rows.addRow(words, field)
        self.slices.currentIndexChanged.connect(lambda _: self._on_slices())
        self._on_slices()
        if stage.viewer is not None:
            for signal in (stage.viewer.layers.events.inserted, stage.viewer.layers.events.removed):
                ties.connect(signal, self._on_layers)
        self._on_layers()

    def region(self, loaded: Loaded) -> Region:
        """The region.

        Raises
        ------
        MedAdvError
            Nothing is marked, or no slice is chosen.
        """
        return Region(self._mask(loaded), self._chosen(loaded.volume))

    def suggest(self, loaded: Loaded | None) -> None:
        """Offer the slices of the series."""
        top = loaded.volume.shape[0] - 1 if loaded is not None else 0
        for field, value in ((self.first, 0), (self.last, top)):
            field.setRange(0, top)
            field.setValue(value)
        self.slices.setCurrentIndex(0)
        self._rows.setRowVisible(self.slices, top > 0)

    def _mask(self, loaded: Loaded) -> Any:
        name, viewer = self.layer.currentText(), self._stage.viewer
        image = self._stage.layer(loaded) or self._stage.layer(self._stage.session.outcome)
        if name == _EVERYWHERE or viewer is None or image is None:
            return None
        return mask_of(viewer.layers[name], image, loaded.volume)

    def _chosen(self, volume: Volume) -> tuple[int, ...] | None:
        how, first, last = self.slices.currentIndex(), self.first.value(), self.last.value()
        if how == 0:
            return None
        if how == 1:
            return (self._stage.session.index,)
        if first > last:
            raise ThreatError(f"Slices {first} to {last} are none: give the lower number first.")
        return tuple(range(first, last + 1))

    def _on_slices(self) -> None:
        self._rows.setRowVisible(self._between, self.slices.currentIndex() == 2)

    def _on_layers(self, event: Any = None) -> None:
        chosen = self.layer.currentText()
        self.layer.clear()
        self.layer.addItems([_EVERYWHERE, *drawn(self._stage.viewer)])
        self.layer.setCurrentText(chosen if self.layer.findText(chosen) >= 0 else _EVERYWHERE)
