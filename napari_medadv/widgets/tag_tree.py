"""Tag tree: the elements of a file as a tree of Qt, cut down to those that a search finds and what they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt

from napari_medadv.dicom.tags import HIDDEN, TagLine

COLUMNS = ("Name", "Value", "VR", "Tag")
_TOP = -1


class TagTree(QAbstractItemModel):
    """The lines of `tags()`; a row is a line's number, so that no node is ever made."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[TagLine, ...] = ()
        self._parent: list[int] = []
        self._below: dict[int, list[int]] = {}
        self._place: dict[int, int] = {}
        self._search = ""
        self.found = 0

    def show(self, lines: Sequence[TagLine], search: str = "") -> None:
        """Turn to the lines of a file, and to those among them that hold every word of `search`."""
        self.beginResetModel()
        if lines is not self.lines:
            self.lines = tuple(lines)
            self._parent = parents(self.lines)
        self._search = search
        self._cut()
        self.endResetModel()

    def _cut(self) -> None:
        hits = [number for number, line in enumerate(self.lines) if line.matches(self._search)]
        kept: set[int] = set()
        for hit in hits:
            number = hit
            while number != _TOP and number not in kept:
                kept.add(number)
                number = self._parent[number]
        self.found = len(hits)
        self._below = {}
        self._place = {}
        for number in sorted(kept):
            beside = self._below.setdefault(self._parent[number], [])
            self._place[number] = len(beside)
            beside.append(number)

    def line(self, index: QModelIndex) -> TagLine | None:
        """The element of a row."""
        return self.lines[index.internalId()] if index.isValid() else None

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """How many elements stand in this one."""
        if parent.isValid() and parent.column() > 0:
            return 0
        return len(self._below.get(_number(parent), ()))

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Name, value, representation and tag."""
        return len(COLUMNS)

    def index(self, row: int, column: int, parent: QModelIndex = QModelIndex()) -> QModelIndex:  # noqa: B008
        """The place of an element in what it stands in."""
        below = self._below.get(_number(parent), [])
        return self.createIndex(row, column, below[row]) if 0 <= row < len(below) else QModelIndex()

    def parent(self, index: QModelIndex = QModelIndex()) -> Any:  # noqa: B008
        """What an element stands in."""
        above = self._parent[index.internalId()] if index.isValid() else _TOP
        return QModelIndex() if above == _TOP else self.createIndex(self._place[above], 0, above)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell says."""
        line = self.line(index)
        if line is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (line.name or line.keyword, line.value, line.vr, line.tag.strip("()"))[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            names = " · ".join(part for part in (line.tag, line.vr, line.name, line.keyword) if part)
            return f"{names}\n{line.value}" if line.value else names
        if role == Qt.ItemDataRole.FontRole and index.column() == 1 and line.value == HIDDEN:
            return _italic()
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The title of a column."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None


def parents(lines: Sequence[TagLine]) -> list[int]:
    """The line in which each stands, by number; -1 at the top."""
    found, open_lines = [], list[int]()
    for number, line in enumerate(lines):
        del open_lines[line.depth :]
        found.append(open_lines[-1] if open_lines else _TOP)
        open_lines.append(number)
    return found


def _number(index: QModelIndex) -> int:
    return int(index.internalId()) if index.isValid() else _TOP


def _italic() -> Any:
    from qtpy.QtGui import QFont

    font = QFont()
    font.setItalic(True)
    return font
