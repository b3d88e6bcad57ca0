"""Listing: a flat list of columns, one of which takes what width is left."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QHeaderView, QTreeWidget


def listing(columns: Sequence[str], wide: int, height: int) -> QTreeWidget:
    """An empty list at least `height` pixels high; `wide` is the number of the column that stretches."""
    found = QTreeWidget()
    found.setRootIsDecorated(False)
    found.setHeaderLabels(list(columns))
    found.setMinimumHeight(height)
    header = found.header()
    if header is not None:
        header.setStretchLastSection(False)
        for column in range(len(columns)):
            mode = QHeaderView.ResizeMode.Stretch if column == wide else QHeaderView.ResizeMode.ResizeToContents
            header.setSectionResizeMode(column, mode)
    return found
