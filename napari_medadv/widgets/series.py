"""Series dock: open a folder or drop it, choose a series, load it; windows and what lies under the cursor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QListWidget, QListWidgetItem, QProgressBar, QPushButton

from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.geometry import ALLOWABLE
from napari_medadv.dicom.series import Scan, Series, scan
from napari_medadv.display import Loaded
from napari_medadv.progress import Progress
from napari_medadv.volume import Array
from napari_medadv.widgets.allowance import Allowance
from napari_medadv.widgets.panel import Panel
from napari_medadv.widgets.preferences import preferred_room
from napari_medadv.widgets.shown import Shown
from napari_medadv.widgets.standing import Standings
from napari_medadv.widgets.thumbnail import SIDE, blank, icon, picture, thumbnail
from napari_medadv.widgets.unread import Unread
from napari_medadv.widgets.warm import warm
from napari_medadv.widgets.work import Job

_AT_ONCE = 12
_DRAWN = int(Qt.ItemDataRole.UserRole) + 1


class SeriesPanel(Panel):
    """The series of a folder, and the one on the screen."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.setAcceptDrops(True)
        self._job: Job | None = None
        buttons = QHBoxLayout()
        for words, slot, tip in (
            ("Open folder…", self._choose_folder, "Find all DICOM series in a folder and below it; or drop it here."),
            ("Open file…", self._choose_file, "Open a single DICOM file, a DICOMDIR or a zip."),
        ):
            button = QPushButton(words)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            buttons.addWidget(button)
        self.column.addLayout(buttons)
        self.list = QListWidget()
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.setMinimumHeight(130)
        self.list.setToolTip("Double-click loads a series.")
        self.list.itemDoubleClicked.connect(lambda _: self.load())
        self.list.itemSelectionChanged.connect(self._selected)
        self.column.addWidget(self.list, 1)
        self.unread = Unread()
        self.column.addWidget(self.unread)
        self.allowance = Allowance(self._refresh)
        self.column.addWidget(self.allowance)
        self.load_button = QPushButton("Load series")
        self.load_button.setEnabled(False)
        self.load_button.clicked.connect(self.load)
        self.column.addWidget(self.load_button)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setVisible(False)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stops looking for series, or loading one.")
        self.cancel_button.clicked.connect(self.cancel)
        self.cancel_button.setVisible(False)
        line = QHBoxLayout()
        line.addWidget(self.bar, 1)
        line.addWidget(self.cancel_button)
        self.column.addLayout(line)
        self.finish(stretch=False)
        self.ties.connect(self.session.events.standings, self._badge)
        self.column.addWidget(Shown(self.stage, self.ties))
        self._thumbnails = QTimer(self)
        self._thumbnails.setSingleShot(True)
        self._thumbnails.setInterval(100)
        self._thumbnails.timeout.connect(self._draw_thumbnails)
        scrollbar = self.list.verticalScrollBar()
        if scrollbar is not None:
            scrollbar.valueChanged.connect(lambda _: self._thumbnails.start())

    def open(self, path: Path, meant: frozenset[Path] = frozenset()) -> None:
        """Look for series in a folder or a file; the one that holds the files that are `meant` is chosen."""
        self.say("")

        def verb(progress: Progress) -> Scan:
            warm()
            return scan(path, progress=progress)

        self._watch(self.start(verb, "Reading the folder", lambda found: self._found(found, meant)))

    def load(self) -> None:
        """Decode the chosen series and show it."""
        series, allow = self._chosen(), self.allowance.allowed
        if series is None:
            return
        self.say("")
        room = preferred_room()

        def verb(progress: Progress) -> Loaded:
            return Loaded(decode(series, allow=allow, room=room, progress=progress), series, allow)

        self._watch(self.start(verb, "Loading", self._loaded))

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Folders and files are welcome."""
        data = event.mimeData() if event is not None else None
        if event is not None and data is not None and data.hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Open what was dropped."""
        data = event.mimeData() if event is not None else None
        found = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data is not None else []
        if len(found) == 1:
            self.open(found[0])
        elif len({each.parent for each in found}) == 1 and all(each.is_file() for each in found):
            self.open(found[0].parent, frozenset(found))
            self.say(f"{len(found)} files were dropped: the folder that holds them is read as a whole.")
        elif data is not None and data.urls():
            what = f"{len(found)} files or folders were dropped" if found else "What was dropped is no file"
            self.complain(f"{what}: drop one folder that holds them all, files of one folder, or one file.")

    def _choose_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Folder with DICOM files")
        if found:
            self.open(Path(found))

    def _choose_file(self) -> None:
        found, _ = QFileDialog.getOpenFileName(
            self, "DICOM file", filter="DICOM (*.dcm *.DCM DICOMDIR *.zip);;All files (*)"
        )
        if found:
            self.open(Path(found))

    def cancel(self) -> None:
        """Stop looking for series, or loading one."""
        if self._job is not None:
            self._job.cancel()

    def _watch(self, job: Job) -> None:
        if self._job is not None:
            self._job.forget()  # the person has turned to something else
        self._job = job
        self._show_running(True)
        self.bar.setValue(0)
        job.progressed.connect(lambda share, _: self.bar.setValue(int(1000 * share)))
        job.ended.connect(self._ended)

    def _ended(self) -> None:
        self._job = None
        self._show_running(False)

    def _show_running(self, running: bool) -> None:
        for field in (self.bar, self.cancel_button):
            field.setVisible(running)

    def _found(self, found: Scan, meant: frozenset[Path] = frozenset()) -> None:
        self.list.clear()
        self.unread.turn(found.rejected)
        for series in found:
            item = QListWidgetItem(entry(series))
            item.setData(Qt.ItemDataRole.UserRole, series)
            item.setSizeHint(QSize(0, SIDE + 8))
            item.setIcon(icon(blank()))
            item.setToolTip("\n".join([*(problem.sentence for problem in series.problems), *series.facts]))
            self.list.addItem(item)
        wanted = [row for row, series in enumerate(found) if meant & {each.path for each in series.instances}]
        if found:
            self.list.setCurrentRow(wanted[0] if wanted else 0)
        self._thumbnails.start()
        if 1 in (len(found), len(wanted)) and self.allowance.complete:
            self.load()

    def _selected(self) -> None:
        self.allowance.turn(self._chosen())
        self._refresh()

    def _refresh(self) -> None:
        self.load_button.setEnabled(self._chosen() is not None and self.allowance.complete)
        self.load_button.setToolTip(
            "Read its pixels and show it."
            if self.allowance.complete
            else "Something speaks against this series: see above."
        )

    def _badge(self, found: Standings | None) -> None:
        """Tell in the list what is known of the files of the series on the screen."""
        loaded = self.session.loaded
        for row in range(self.list.count()):
            item = self.list.item(row)
            series: Series | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
            here = loaded is not None and series is loaded.series
            if item is not None and series is not None and found is not None and here:
                item.setText(f"{entry(series)}\n{' · '.join(each.words for each in found.shown)}")

    def _chosen(self) -> Series | None:
        item = self.list.currentItem()
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else None

    def _loaded(self, loaded: Loaded) -> None:
        self.stage.show(loaded)

    def _draw_thumbnails(self) -> None:
        view = self.list.viewport()
        seen = view.rect() if view is not None else self.list.rect()
        items = [self.list.item(row) for row in range(self.list.count())]
        wanted = [item for item in items if item is not None and self.list.visualItemRect(item).intersects(seen)]
        wanted = [item for item in wanted if not item.data(_DRAWN)][:_AT_ONCE]
        if not wanted:
            return
        series = [item.data(Qt.ItemDataRole.UserRole) for item in wanted]

        def done(found: list[Array | None]) -> None:
            for item, grey in zip(wanted, found, strict=True):
                if self.list.row(item) >= 0 and grey is not None:
                    item.setIcon(icon(picture(grey)))
            self._thumbnails.start()

        for item in wanted:
            item.setData(_DRAWN, True)
        self.start(lambda progress: [thumbnail(one, progress) for one in series], "Drawing thumbnails", done)


def entry(series: Series) -> str:
    """A series in two lines: modality and description, slices and size; whatever makes it unreadable."""
    count = series.frames
    name = "  ".join(
        part for part in (series.modality, series.description or f"series {series.number or ''}".strip()) if part
    )
    size = f"{count} slice{'s' if count != 1 else ''}, {series.columns} × {series.rows}"
    if not series.problems:
        return f"{name}\n{size}"
    allowable = all(problem.kind in ALLOWABLE for problem in series.problems)
    return f"{name}\n{f'{size}, with a problem' if allowable else 'cannot be loaded as one volume'}"
