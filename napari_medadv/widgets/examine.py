"""Examine dock: is there evidence that a series was tampered with, from whom, where, and what would pass unseen; never a green tick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QPushButton, QTextBrowser, QTreeWidgetItem

from napari_medadv.audit.region import write_region
from napari_medadv.display import Loaded, Outcome
from napari_medadv.errors import MedAdvError
from napari_medadv.widgets.listing import listing
from napari_medadv.widgets.nouns import lay_over
from napari_medadv.widgets.number import Number
from napari_medadv.widgets.panel import Panel, box, form, row
from napari_medadv.widgets.path_row import PathRow
from napari_medadv.widgets.progress_bar import ProgressBar
from napari_medadv.widgets.suspicion import Sign, Suspicion, look
from napari_medadv.widgets.suspicion_layer import suspicion_layer
from napari_medadv.widgets.suspicion_words import ASKS, details, overall, summary
from napari_medadv.widgets.work import Job

_SIGN = int(Qt.ItemDataRole.UserRole)


class ExaminePanel(Panel):
    """What to examine, against which reference; the signs, one a row, and the chosen one in words."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.found: Suspicion | None = None
        self._examined: Loaded | Outcome | None = None
        self._job: Job | None = None
        self.what = box(("Loaded series", "Adversarial series"), "Which of the two on the screen.")
        self.reference = PathRow(
            "none: no p-values", "What `medadv calibrate` wrote from your own clean series, for this classifier."
        )
        self.level = Number(5, 0.1, 50, "%")
        self.level.setToolTip("The false-alarm rate: 5 % needs a reference from 31 clean series, 1 % one from 165.")
        rows = form()
        rows.addRow("Examine", self.what)
        rows.addRow("Reference", self.reference)
        rows.addRow("False alarms", self.level)
        self.column.addLayout(rows)
        self.run_button, self.cancel_button = QPushButton("Examine"), QPushButton("Cancel")
        self.run_button.setToolTip("Run every detector that applies.")
        self.cancel_button.setToolTip("Stops at the next batch of slices.")
        self.run_button.clicked.connect(self.run)
        self.cancel_button.clicked.connect(self.cancel)
        self.column.addWidget(row(self.run_button, self.cancel_button, stretch=(2, 1)))
        self.bar = ProgressBar()
        self.column.addWidget(self.bar)
        self.finish(stretch=False)
        self.list = listing(("Detector", "p", "Passes"), 0, 90)
        self.list.setToolTip(
            "p-value against the clean images of the reference; cost in forward passes of the network."
        )
        self.list.currentItemChanged.connect(self._tell)
        self.column.addWidget(self.list, 2)
        self.words = QTextBrowser()
        self.words.setMinimumHeight(90)
        self.column.addWidget(self.words, 3)
        self.heat_button, self.slice_button = QPushButton("Heat map as layer"), QPushButton("Go to slice")
        self.heat_button.setToolTip("Where this detector sees something, over the series.")
        self.slice_button.setToolTip("The slice that this detector finds most suspicious.")
        self.heat_button.clicked.connect(self.show_heat)
        self.slice_button.clicked.connect(self.go)
        self.region_button = QPushButton("Save region…")
        self.region_button.setToolTip("Where it is suspicious, as a DICOM Segmentation of the series.")
        self.region_button.clicked.connect(lambda: self.save_region())
        self.column.addWidget(row(self.heat_button, self.slice_button, self.region_button, stretch=(1, 1, 1)))
        for signal in (self.session.events.loaded, self.session.events.classifier):
            self.ties.connect(signal, self._clear)
        self.ties.connect(self.session.events.outcome, self._on_outcome)
        self._on_outcome(self.session.outcome)
        self._clear()

    def run(self) -> None:
        """Ask every detector that applies."""
        noun = self._noun()
        if noun is None:
            self.complain("No series is loaded: load one first.")
            return
        self._clear()
        volume = noun.volume if isinstance(noun, Loaded) else noun.perturbation.adversarial
        series = noun.series if isinstance(noun, Loaded) else None
        classifier, level = self.session.classifier, self.level.number / 100
        reference = self.reference.path
        self._examined = noun
        self._job = self.start(
            lambda progress: look(volume, series, classifier, reference, level, progress),
            "The examination",
            self._finished,
        )
        self.bar.follow(self._job)
        self._job.ended.connect(self._ended)
        self._refresh()

    def cancel(self) -> None:
        """Stop at the next batch of slices."""
        if self._job is not None:
            self._job.cancel()
            self.say("Stopping…")

    def show_heat(self) -> None:
        """Show where the chosen detector sees something."""
        sign, viewer, noun = self._chosen(), self.stage.viewer, self._examined
        if sign is None or sign.where is None or viewer is None or noun is None:
            return
        active = viewer.layers.selection.active
        values, style, _ = suspicion_layer(sign, noun)
        for old in [layer for layer in viewer.layers if layer.name == style["name"]]:
            viewer.layers.remove(old)
        lay_over(viewer.add_image(values, **style), self.stage.layer(noun))
        viewer.layers.selection.active = active

    def go(self) -> None:
        """Scroll to the slice that the chosen detector finds most suspicious."""
        sign = self._chosen()
        if sign is not None and sign.slices:
            self.stage.go(sign.slices[0])

    def save_region(self, path: Path | None = None) -> None:
        """Write what the most suspicious detector points at; asks for a file where none is given."""
        verdict = None if self.found is None else self.found.examination
        noun, classifier = self._examined, self.session.classifier
        series = None if noun is None else (noun if isinstance(noun, Loaded) else noun.loaded).series
        if verdict is None or classifier is None:
            return
        if series is None:
            self.complain("This volume came without files, and a segmentation refers to files: load a series.")
            return
        if path is None:
            chosen, _ = QFileDialog.getSaveFileName(self, "The suspicious region", "region.dcm", "DICOM (*.dcm)")
            if not chosen:
                return
            path = Path(chosen)
        try:
            words = write_region(verdict, classifier.name, series, path)
        except MedAdvError as error:
            self.complain(str(error))
        else:
            self.say(f"{path.name} holds the region ({words}).")

    def _noun(self) -> Loaded | Outcome | None:
        chosen = self.session.outcome if self.what.currentIndex() == 1 else self.session.loaded
        return chosen if chosen is not None else self.session.loaded

    def _finished(self, found: Suspicion) -> None:
        if self._examined is None:  # it ended just as the person turned to something else
            return
        self.found = found
        verdict = found.examination
        together = "–" if verdict is None else f"{verdict.p:.3f}"
        self._add("all together", together, sum(sign.cost for sign in found.signs), None)
        for sign in found.signs:
            self._add(sign.detector, "–" if sign.p is None else f"{sign.p:.3f}", sign.cost, sign)
        self.list.setCurrentItem(self.list.topLevelItem(0))
        self.say(found.refusal or summary(found), wrong=bool(found.refusal or (verdict and verdict.alarm)))

    def _add(self, name: str, p: str, cost: int, sign: Sign | None) -> None:
        item = QTreeWidgetItem([name, p, f"{cost:,}"])
        item.setData(0, _SIGN, sign)
        item.setToolTip(0, ASKS.get(name, "") if sign is not None else "What they say together, and what is missing.")
        for column in (1, 2):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.list.addTopLevelItem(item)

    def _chosen(self) -> Sign | None:
        item = self.list.currentItem()
        sign = item.data(0, _SIGN) if item is not None else None
        return sign if isinstance(sign, Sign) else None

    def _tell(self, *_: Any) -> None:
        sign = self._chosen()
        if self.found is None:
            self.words.clear()
        else:
            self.words.setHtml(details(sign) if sign is not None else overall(self.found))
        self.heat_button.setEnabled(sign is not None and sign.where is not None)
        self.slice_button.setEnabled(sign is not None and len(sign.slices) > 1)
        verdict = None if self.found is None else self.found.examination
        self.region_button.setEnabled(verdict is not None and verdict.alarm)

    def _clear(self, *_: Any) -> None:
        if self._job is not None:
            self._job.cancel()
        self.found = self._examined = None
        self.list.clear()
        self._tell()
        self.say("")
        self._refresh()

    def _on_outcome(self, outcome: Outcome | None) -> None:
        if self._examined is not None and self._examined is not self.session.loaded:
            self._clear()
        if outcome is None:
            self.what.setCurrentIndex(0)
        self.what.setEnabled(outcome is not None)

    def _ended(self) -> None:
        self._job = None
        self._refresh()

    def _refresh(self) -> None:
        running = self._job is not None
        self.run_button.setEnabled(self.session.loaded is not None and not running)
        self.cancel_button.setEnabled(running)
