"""Panel: what every dock shares: its place on the stage, a message line, and a clean farewell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_medadv.widgets.fields import Choice
from napari_medadv.widgets.scrolled import Scrolled
from napari_medadv.widgets.stage import Stage, stage_of
from napari_medadv.widgets.work import Job, Verb

_WRONG = "#dd4f4a"
_SAID = 90
"""Room for what is going to be said beneath the rows, in pixels."""


class Ties:
    """The connections and jobs of one panel, undone when the panel goes."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._connected: list[tuple[Any, Callable[..., Any]]] = []
        self.jobs: list[Job] = []
        self._released = False
        stage.panels += 1
        stage.vouching.open()

    def connect(self, signal: Any, slot: Callable[..., Any]) -> None:
        """Call `slot` on `signal` (psygnal or napari) as long as the panel lives."""
        signal.connect(slot)
        self._connected.append((signal, slot))

    def release(self, *_: Any) -> None:
        """Undo everything; the last panel of a viewer stops all work."""
        if self._released:
            return
        self._released = True
        for signal, slot in self._connected:
            try:
                signal.disconnect(slot)
            except (TypeError, ValueError, RuntimeError):
                continue
        self._connected.clear()
        for job in self.jobs:
            job.leave()
        self._stage.panels -= 1
        if self._stage.panels == 0:
            self._stage.close()


class Panel(QWidget):
    """A dock's content: rows in `column`, and one message line at the bottom."""

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.stage = stage_of(viewer)
        self.session = self.stage.session
        self.ties = Ties(self.stage)
        self.destroyed.connect(self.ties.release)
        rows = QWidget()
        self.column = QVBoxLayout(rows)
        self.column.setContentsMargins(8, 4, 8, 4)
        self.column.setSpacing(4)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.message.setVisible(False)
        self._scrolled = Scrolled(rows)
        self._seen = False
        frame = QVBoxLayout(self)
        frame.setContentsMargins(0, 0, 0, 0)
        frame.addWidget(self._scrolled)

    def event(self, event: QEvent | None) -> bool:
        """The x of a dock takes its panel out of the window without destroying it: it is then gone for good."""
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.ties.release()
        return super().event(event)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Seen for the first time, a dock makes the window high enough for the rows of all, as far as the screen goes."""
        super().showEvent(event)
        if not self._seen:
            self._seen = True
            self._scrolled.settle(self._fit)

    def _fit(self) -> None:
        window, screen = self.window(), self.screen()
        behind = self.visibleRegion().isEmpty()  # another tab is in front, and this one's height is of no account
        if window is None or screen is None or behind or window.isMaximized() or window.isFullScreen():
            return
        place = window.layout()
        if place is not None:
            place.setGeometry(window.rect())  # a resize under way has not reached the docks yet
        highest = max(panel.sizeHint().height() for panel in window.findChildren(Panel))
        most = screen.availableGeometry().height() - (window.frameGeometry().height() - window.height())
        wanted = window.height() + highest + _SAID - self.height()
        window.resize(window.width(), max(window.height(), min(wanted, most)))

    def finish(self, *, stretch: bool = True) -> None:
        """Put the message line under everything that was added to `column`."""
        self.column.addWidget(self.message)
        if stretch:
            self.column.addStretch(1)

    def say(self, words: str, *, wrong: bool = False) -> None:
        """Show a sentence, and scroll to it unless it says that something is under way; an empty one clears the line."""
        self.message.setStyleSheet(f"color: {_WRONG};" if wrong else "")
        self.message.setText(words)
        self.message.setVisible(bool(words))
        if words and not words.endswith("…"):
            self._scrolled.settle(lambda: self._scrolled.ensureWidgetVisible(self.message, 0, 0))

    def complain(self, words: str) -> None:
        """Show what went wrong, as one sentence."""
        self.say(words, wrong=True)

    def start(self, verb: Verb, what: str, done: Callable[[Any], None], *, writes: bool = False) -> Job:
        """Run a verb beside the window; `done` gets its result, and errors are said in the message line.

        One that writes files goes on after the dock is closed.
        """
        return self.hear(self.stage.work.start(verb, what, writes=writes), done)

    def hear(self, job: Job, done: Callable[[Any], None]) -> Job:
        """Hand the result of a job to `done`, and say its error in the message line."""
        job.finished.connect(done)
        job.failed.connect(self.complain)
        self.ties.jobs = [*(old for old in self.ties.jobs if not old.over), job]
        return job


def form() -> QFormLayout:
    """A form whose labels and fields line up, tight enough for a dock."""
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(8)
    layout.setVerticalSpacing(2)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout


def heading(words: str) -> QLabel:
    """A quiet title above a group of rows."""
    label = QLabel(f"<b>{words}</b>")
    label.setContentsMargins(0, 4, 0, 0)
    return label


def box(words: tuple[str, ...], tip: str, letters: int = 8) -> QComboBox:
    """A choice that does not widen the dock."""
    found = Choice()
    found.addItems(list(words))
    found.setToolTip(tip)
    found.setMinimumContentsLength(letters)
    found.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return found


def row(*fields: QWidget, stretch: tuple[int, ...] = (1, 0, 1)) -> QWidget:
    """Fields beside each other in one row of a form."""
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for field, share in zip(fields, stretch, strict=False):
        layout.addWidget(field, share)
    return holder
