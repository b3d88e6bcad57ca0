"""Unread: the files of a folder that are in no series, counted in one line; the reasons come up when it is pointed at."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QLabel, QSizePolicy

from napari_medadv.dicom.series import Rejected

_MOST = 20


class Unread(QLabel):
    """Hidden where every file was read."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setVisible(False)

    def turn(self, rejected: Sequence[Rejected]) -> None:
        """Tell of these files."""
        count = len(rejected)
        more = f"\nand {count - _MOST} more: `medadv scan` lists them" if count > _MOST else ""
        self.setText(f"{count} file{'s were' if count != 1 else ' was'} not read: point here for the reason.")
        self.setToolTip("\n".join(each.reason for each in rejected[:_MOST]) + more)
        self.setVisible(bool(rejected))
