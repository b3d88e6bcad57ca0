"""RegionRows: where the adversary may act, as rows of a form: a drawn layer, and slices."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel

from napari_medadv.display import Loaded
from napari_medadv.errors import RegionError, ThreatError
from napari_medadv.threat import Region
from napari_medadv.volume import Bools, Volume
from napari_medadv.widgets.fields import Whole
from napari_medadv.widgets.panel import Ties, box, row
from napari_medadv.widgets.regions import drawn, mask_of
from napari_medadv.widgets.stage import Stage

_EVERYWHERE = "whole image"
_NOWHERE = "nothing"
_GONE = " (deleted)"


class RegionRows:
    """A row for the layer, one for the layer to keep off, and one or two for the slices of a stack."""

    def __init__(self, rows: QFormLayout, stage: Stage, ties: Ties) -> None:
        self._rows, self._stage = rows, stage
        self.layer = box(
            (_EVERYWHERE,),
            "Paint in a Labels layer, or draw outlines in a Shapes layer (they hold through all slices).",
        )
        self.avoid = box((_NOWHERE,), "What such a layer marks stays as it is.")
        self.slices = box(
            ("all", "the one shown", "from – to"),
            "Which slices may be changed, counted from 0 as in the line at the top of this dock.",
        )
        self.first, self.last = Whole(), Whole()
        self._between = row(self.first, QLabel("–"), self.last)
        for words, field in (
            ("Region", self.layer),
            ("Avoid", self.avoid),
            ("Slices", self.slices),
            ("", self._between),
        ):
            rows.addRow(words, field)
        self.slices.currentIndexChanged.connect(lambda _: self._on_slices())
        self._on_slices()
        if stage.viewer is not None:
            events = stage.viewer.layers.events
            for signal in (events.inserted, events.removed, events.renamed):
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
        """Offer the slices of the series, counted as on napari's slider."""
        top = loaded.volume.shape[0] - 1 if loaded is not None else 0
        for field, value in ((self.first, 0), (self.last, top)):
            field.setRange(0, top)
            field.setValue(value)
        self.slices.setCurrentIndex(0)
        self._rows.setRowVisible(self.slices, top > 0)

    def _mask(self, loaded: Loaded) -> Bools | None:
        inside, kept = (self._marked(field, loaded) for field in (self.layer, self.avoid))
        if inside is not None and kept is not None and not (inside & ~kept).any():
            raise RegionError(
                f"The layer {self.avoid.currentText()!r} marks all of the region: choose another layer to avoid, or none."
            )
        if kept is None:
            return inside
        return ~kept if inside is None else inside & ~kept

    def _marked(self, field: QComboBox, loaded: Loaded) -> Bools | None:
        viewer = self._stage.viewer
        image = self._stage.layer(loaded) or self._stage.layer(self._stage.session.outcome)
        if field.currentIndex() <= 0 or viewer is None:
            return None
        if image is None:
            raise RegionError("The series is no longer in the window, so no region lies on it: load it again.")
        if field.currentData() is None:
            name = field.currentText().removesuffix(_GONE)
            raise RegionError(f"The layer {name!r} was deleted: choose another, or {field.itemText(0)!r}.")
        return mask_of(field.currentData(), image, loaded.volume)

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
        for field, none in ((self.layer, _EVERYWHERE), (self.avoid, _NOWHERE)):
            chosen, name, named = field.currentData(), field.currentText(), field.currentIndex() > 0
            field.clear()
            field.addItem(none)
            for layer in drawn(self._stage.viewer):
                field.addItem(layer.name, layer)
                if layer is chosen:
                    field.setCurrentIndex(field.count() - 1)
            if named and field.currentIndex() == 0:
                field.addItem(name.removesuffix(_GONE) + _GONE)
                field.setCurrentIndex(field.count() - 1)
        self._rows.setRowVisible(self.avoid, self.avoid.count() > 1)
