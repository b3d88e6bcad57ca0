"""Tags dock: what the file of the slice on the screen says; what could name the patient is hidden until it is asked for."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtWidgets import (  # type: ignore[attr-defined]
    QCheckBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QShortcut,
    QSizePolicy,
    QTreeView,
)

from napari_medadv.dicom.tags import TagLine, tags
from napari_medadv.display import Loaded
from napari_medadv.widgets.nouns import headline
from napari_medadv.widgets.panel import Panel
from napari_medadv.widgets.tag_tree import TagTree
from napari_medadv.widgets.work import Job

_PAUSE = 150


class TagsPanel(Panel):
    """A search line, and the elements as a tree."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self._shown: tuple[Path, bool] | None = None
        self._lines: tuple[TagLine, ...] = ()
        self._job: Job | None = None
        self.file = QLabel()
        self.file.setWordWrap(True)
        self.file.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.column.addWidget(self.file)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search tag, name, VR or value")
        self.search.setToolTip(
            "Only elements that hold all these words, such as “kernel”, “0018,0050” or “pn”; what is hidden is not searched."
        )
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.column.addWidget(self.search)
        self.identity = QCheckBox("Show what could name the patient")
        self.identity.setToolTip(
            "Names, dates, identifiers, free text and private elements are hidden until you tick this; another series hides them again."
        )
        self.identity.toggled.connect(self.read)
        self.column.addWidget(self.identity)
        self.model = TagTree(self)
        self.tree = QTreeView()
        self.tree.setModel(self.model)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(12)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setMinimumHeight(200)
        self.tree.setToolTip("Ctrl+C copies the value of the chosen element.")
        self._widths()
        copying = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.tree)
        copying.setContext(Qt.ShortcutContext.WidgetShortcut)
        copying.activated.connect(self.copy)
        self.column.addWidget(self.tree, 1)
        selection = self.tree.selectionModel()
        if selection is not None:
            selection.currentChanged.connect(self._tell)
        self.chosen = QLabel()
        self.chosen.setWordWrap(True)
        self.chosen.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.chosen.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.chosen.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.chosen.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(self.chosen)
        self.count = QLabel()
        self.column.addWidget(self.count)
        self.finish(stretch=False)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self.read)
        self.ties.connect(self.session.events.loaded, self._on_loaded)
        self.ties.connect(self.session.events.index, self._on_index)
        self._on_loaded(self.session.loaded)

    def read(self, *_: Any) -> None:
        """Read the file of the slice on the screen, unless it is shown already."""
        path, identity = file_of(self.session.loaded, self.session.index), self.identity.isChecked()
        if self._job is not None:
            self._job.forget()
            self._job = None
        if path is None:
            self._show((), None)
            return
        if self._shown == (path, identity):
            self.file.setText(self._title(path))
            return
        self._job = self.start(
            lambda _: tags(path, identity=identity),
            "Reading the tags",
            lambda lines: self._show(lines, (path, identity)),
        )

    def copy(self) -> None:
        """Put the value of the chosen element on the clipboard."""
        line, clipboard = self.model.line(self.tree.currentIndex()), QGuiApplication.clipboard()
        if line is not None and clipboard is not None:
            clipboard.setText(line.value)

    def _show(self, lines: tuple[TagLine, ...], shown: tuple[Path, bool] | None) -> None:
        self.say("")
        self._lines, self._shown = lines, shown
        above = self.tree.verticalScrollBar()
        place = above.value() if above is not None else 0
        self._filter()
        if above is not None:
            above.setValue(place)
        self.file.setText(self._title(shown[0] if shown is not None else None))

    def _filter(self, *_: Any) -> None:
        words = self.search.text()
        self.chosen.setText("Choose an element to read all of it." if self._lines else "")
        self.model.show(self._lines, words)
        if words.strip():
            self.tree.expandAll()
        of = f"{self.model.found:,} of {len(self._lines):,}" if words.strip() else f"{len(self._lines):,}"
        self.count.setText(f"{of} elements" if self._lines else "")

    def _title(self, path: Path | None) -> str:
        loaded = self.session.loaded
        if loaded is None:
            return "Nothing is loaded: load a series in the dock Series."
        if path is None:
            return "This image was not read from a DICOM file, so it has no tags."
        return headline(loaded, self.session.index)

    def _on_loaded(self, loaded: Loaded | None) -> None:
        self.identity.blockSignals(True)
        self.identity.setChecked(False)
        self.identity.blockSignals(False)
        there = loaded is not None and loaded.series is not None
        for field in (self.search, self.identity, self.tree):
            field.setEnabled(there)
        self._show((), None)
        self.read()

    def _on_index(self, *_: Any) -> None:
        self._pause.start()

    def _tell(self, *_: Any) -> None:
        line = self.model.line(self.tree.currentIndex())
        self.chosen.setText(told(line) if line is not None else "")

    def _widths(self) -> None:
        header = self.tree.header()
        if header is None:
            return
        header.setMinimumSectionSize(20)
        header.setStretchLastSection(False)
        for column, sample in enumerate(("Instance Creation D", "", "VR", "0008,0008")):
            if sample:
                header.resizeSection(column, self.fontMetrics().horizontalAdvance(sample) + 12)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)


def told(line: TagLine) -> str:
    """The whole of an element, for under the tree."""
    names = " · ".join(escape(part) for part in (line.tag, line.vr, line.keyword or line.name) if part)
    return f"<small>{names}</small><br>{escape(line.value)}"


def file_of(loaded: Loaded | None, index: int) -> Path | None:
    """The file of a slice, or None where nothing was read from DICOM."""
    if loaded is None or loaded.series is None or not loaded.series.slices:
        return None
    slices = loaded.series.slices
    return slices[min(index, len(slices) - 1)].instance.path
