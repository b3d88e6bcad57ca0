"""Path row: a line for a file and a button that looks for it."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget


class PathRow(QWidget):
    """One existing file, or none."""

    def __init__(self, nothing: str, tip: str, kinds: str = "All files (*)") -> None:
        super().__init__()
        self._kinds = kinds
        self.line = QLineEdit()
        self.line.setPlaceholderText(nothing)
        self.line.setToolTip(tip)
        self.line.setClearButtonEnabled(True)
        button = QPushButton("…")
        button.setFixedWidth(28)
        button.setToolTip(f"Choose a file. {tip}")
        button.clicked.connect(self._choose)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.line, 1)
        layout.addWidget(button)

    @property
    def path(self) -> Path | None:
        """The file that is named."""
        text = self.line.text().strip()
        return Path(text) if text else None

    def set_path(self, path: Path) -> None:
        """Name a file."""
        self.line.setText(str(path))

    def _choose(self) -> None:
        found, _ = QFileDialog.getOpenFileName(self, self.line.toolTip(), filter=self._kinds)
        if found:
            self.line.setText(found)
