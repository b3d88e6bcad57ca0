"""Progress bar: how far a job is, in words too; hidden while there is none."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar

from napari_medadv.widgets.work import Job


class ProgressBar(QProgressBar):
    """A bar that follows one job at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, 1000)
        self.setVisible(False)

    def follow(self, job: Job, *, measured: bool = True) -> None:
        """Show `job` until it ends; one that cannot say how far it is only moves."""
        self.setRange(0, 1000 if measured else 0)
        self.setFormat("%p %")
        self.setValue(0)
        self.setVisible(True)
        job.progressed.connect(self._progressed)
        job.ended.connect(self.hide)

    def _progressed(self, share: float, words: str) -> None:
        self.setValue(int(1000 * share))
        self.setFormat(f"{words} %p %" if words else "%p %")
