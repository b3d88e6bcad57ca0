"""Archive dock: search an archive by DICOMweb or DIMSE, pull a series into a folder, open it; nothing is ever sent to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFileDialog, QLineEdit, QPushButton, QTreeWidgetItem

from napari_medadv.dicom.derivation import derived_uid
from napari_medadv.dicom.dicomweb import DicomWeb
from napari_medadv.dicom.dimse import Dimse
from napari_medadv.dicom.remote import Archive, RemoteSeries, fetch
from napari_medadv.errors import MedAdvError, SeriesError
from napari_medadv.widgets.commands import show
from napari_medadv.widgets.listing import listing
from napari_medadv.widgets.number import Number
from napari_medadv.widgets.panel import Panel, box, form, row
from napari_medadv.widgets.progress_bar import ProgressBar
from napari_medadv.widgets.work import Job, detached

PATIENCE = 2000
"""Milliseconds for which a stopped pull may finish the image under way."""

_SERIES = int(Qt.ItemDataRole.UserRole)


class ArchivePanel(Panel):
    """Where the archive is, what it has, and a pull that goes on where it was stopped."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self._job: Job | None = None
        self._pulling = False
        self.way = box(("DICOMweb", "DIMSE"), "QIDO-RS and WADO-RS, or C-FIND and C-MOVE to a receiver of our own.")
        self.address = QLineEdit()
        self.title, self.own_title = QLineEdit("ANY-SCP"), QLineEdit("MEDADV")
        self.title.setToolTip("The archive's application entity title.")
        self.own_title.setToolTip("Our title, as the archive knows it.")
        self.port = Number(11112, 1, 65535)
        self.port.setDecimals(0)
        self.port.setToolTip("Our port, to which the archive sends.")
        self.study, self.modality = QLineEdit(), QLineEdit()
        self.study.setPlaceholderText("all studies")
        self.study.setToolTip("Study Instance UID; some archives ask for it.")
        self.modality.setPlaceholderText("all, or CT, MR, CR, …")
        self.rows = form()
        for label, field in (
            ("By", self.way),
            ("Address", self.address),
            ("Its title", self.title),
            ("Our title", row(self.own_title, self.port, stretch=(1, 1))),
            ("Study", self.study),
            ("Modality", self.modality),
        ):
            self.rows.addRow(label, field)
        self.column.addLayout(self.rows)
        self.search_button = QPushButton("Search")
        self.search_button.setToolTip("List the series that the archive holds; nothing is sent to it but the question.")
        self.search_button.clicked.connect(self.search)
        self.address.returnPressed.connect(self.search)
        self.column.addWidget(self.search_button)
        self.list = listing(("", "Series", "Images"), 1, 120)
        self.list.currentItemChanged.connect(self._refresh)
        self.list.itemDoubleClicked.connect(lambda *_: self._choose_folder())
        self.column.addWidget(self.list, 1)
        self.pull_button, self.cancel_button = QPushButton("Pull and open…"), QPushButton("Cancel")
        self.pull_button.setToolTip(
            "Fetch the series into a folder, and open it; what is there already is not fetched again."
        )
        self.pull_button.clicked.connect(self._choose_folder)
        self.cancel_button.setToolTip(
            "Stops a search at once. Of a pull, what arrived whole stays; the next one into the same folder goes on from there."
        )
        self.cancel_button.clicked.connect(self.cancel)
        self.column.addWidget(row(self.pull_button, self.cancel_button, stretch=(2, 1)))
        self.bar = ProgressBar()
        self.column.addWidget(self.bar)
        self.finish(stretch=False)
        self.way.currentIndexChanged.connect(self._turn)
        self._turn()
        self._refresh()

    def archive(self) -> Archive:
        """The archive that the form names.

        Raises
        ------
        SeriesError
            The address is none.
        """
        address = self.address.text().strip()
        if self.way.currentIndex() == 0:
            if not address.startswith(("http://", "https://")):
                raise SeriesError("The address of a DICOMweb service starts with http:// or https://: name it so.")
            return DicomWeb(address)
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise SeriesError("The address of an archive is HOST:PORT, such as archive:104: name it so.")
        return Dimse(host, int(port), self.title.text(), self.own_title.text(), int(self.port.number))

    def search(self) -> None:
        """List what the archive has."""
        study, modality = self.study.text().strip(), self.modality.text().strip().upper()
        archive = self._archive()
        if archive is not None:
            self.list.clear()
            self.say("Searching…")
            self._pulling = False
            self._start(lambda _: archive.search(study, modality), "The search", self._found)

    def pull(self, folder: Path) -> None:
        """Fetch the chosen series into its own folder below `folder`, and open it in the dock Series."""
        series, archive = self._chosen(), self._archive()
        if series is None or archive is None:
            return
        target = folder / f"series_{derived_uid(series.uid, 'folder').rsplit('.', 1)[-1][:12]}"
        self.say("")
        self._pulling = True
        self._start(
            lambda progress: fetch(archive, series, target, progress=progress),
            "The pull",
            lambda files: self._arrived(files, target),
        )

    def cancel(self) -> None:
        """Stop a search at once, and a pull after the image under way, or soon if nothing comes."""
        if self._job is None:
            return
        if not self._pulling:
            self._job.abandon()
            return
        self.say("Stopping…")
        self._job.cancel()
        QTimer.singleShot(PATIENCE, self._job.abandon)

    def _archive(self) -> Archive | None:
        try:
            return self.archive()
        except MedAdvError as error:
            self.complain(str(error))
            return None

    def _start(self, verb: Any, what: str, done: Any) -> None:
        self._job = self.hear(detached(verb, what), done)
        self.bar.follow(self._job, measured=self._pulling)
        self._job.ended.connect(self._ended)
        self._refresh()

    def _found(self, found: tuple[RemoteSeries, ...]) -> None:
        self.say(f"{len(found)} series fit." if found else "The archive has no series that fits.")
        for series in sorted(found, key=lambda each: (each.study_uid, each.number or 0)):
            count = "?" if series.instances is None else str(series.instances)
            item = QTreeWidgetItem(
                [series.modality, series.description or f"series {series.number or ''}".strip(), count]
            )
            item.setData(0, _SERIES, series)
            item.setToolTip(1, f"{series.description}\nSeries {series.uid}\nStudy {series.study_uid}".strip())
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.list.addTopLevelItem(item)

    def _arrived(self, files: tuple[Path, ...], folder: Path) -> None:
        self.say(f"{len(files)} image{'s' if len(files) != 1 else ''} are in {folder.name}.")
        if self.stage.viewer is not None:
            show(self.stage.viewer, "Series").open(folder)

    def _chosen(self) -> RemoteSeries | None:
        item = self.list.currentItem()
        series = item.data(0, _SERIES) if item is not None else None
        return series if isinstance(series, RemoteSeries) else None

    def _ended(self) -> None:
        self._job = None
        self._refresh()

    def _refresh(self, *_: Any) -> None:
        running = self._job is not None
        self.search_button.setEnabled(not running)
        self.pull_button.setEnabled(not running and self._chosen() is not None)
        self.cancel_button.setEnabled(running)

    def _turn(self, *_: Any) -> None:
        web = self.way.currentIndex() == 0
        self.address.setPlaceholderText("http://host:8042/dicom-web" if web else "host:104")
        for place in (2, 3):
            self.rows.setRowVisible(place, not web)

    def _choose_folder(self) -> None:
        if self._chosen() is None or self._job is not None:
            return
        found = QFileDialog.getExistingDirectory(self, "Folder for the series of the archive")
        if found:
            self.pull(Path(found))
