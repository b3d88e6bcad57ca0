"""ObjectBoxes: which objects for other viewers are saved beside a series, one tick each; greyed, with the reason, where there can be none."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget

from napari_medadv.audit.objects import KINDS, Kind, obstacles
from napari_medadv.display import Outcome

_WORDS: dict[Kind, tuple[str, str]] = {
    "difference": ("map", "The difference as a Parametric Map (32-bit floating point, in the unit of the series)."),
    "region": ("region", "Where the attack was allowed, as a Segmentation."),
    "verdicts": ("report", "What the classifier says before and after, as a Structured Report."),
    "picture": ("picture", "Clean, difference and adversarial in one picture, as a Secondary Capture."),
}
_FIRST = "Run an attack on a DICOM series first."


class ObjectBoxes(QWidget):
    """A row of ticks. What was ticked stays ticked, and counts where it is possible."""

    def __init__(self) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(5)
        label = QLabel("With")
        label.setToolTip("DICOM objects for other radiology viewers, beside the derived series.")
        line.addWidget(label)
        self.boxes = {kind: QCheckBox(_WORDS[kind][0]) for kind in KINDS}
        for each in self.boxes.values():
            line.addWidget(each)
        line.addStretch(1)
        self.turn(None)

    def turn(self, outcome: Outcome | None) -> None:
        """Offer what can be made of this outcome."""
        series = outcome.loaded.series if outcome is not None else None
        reasons = dict.fromkeys(KINDS, _FIRST)
        if outcome is not None and series is not None:
            reasons = obstacles(outcome.perturbation, series)
        for kind, each in self.boxes.items():
            reason = reasons.get(kind, "")
            each.setEnabled(not reason)
            each.setToolTip("\n".join(words for words in (_WORDS[kind][1], reason) if words))

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The objects to save."""
        return tuple(kind for kind, each in self.boxes.items() if each.isEnabled() and each.isChecked())
