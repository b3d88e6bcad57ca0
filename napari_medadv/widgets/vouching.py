"""Vouching: every series that is loaded is checked for signatures and against the baseline, beside the window, once for all docks."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QTimer

from napari_medadv.display import Loaded
from napari_medadv.progress import Progress
from napari_medadv.widgets.session import Session
from napari_medadv.widgets.standing import CHECKING, NO_FILES, NOT_COMPARED, UNKNOWN, Standings, standings
from napari_medadv.widgets.work import Job, Work

_PAUSE = 300
"""Milliseconds, so that the series is on the screen and its prediction is under way first."""


class Vouching:
    """Keeps `session.standings` true of the loaded series and of whom the person trusts."""

    def __init__(self, session: Session, work: Work) -> None:
        self._session = session
        self._work = work
        self.job: Job | None = None
        self._closed = False
        session.events.loaded.connect(self._on_loaded)

    def check(self) -> Job | None:
        """Check the loaded series again; the job, or None where there is nothing to check."""
        self._forget()
        loaded, trust = self._session.loaded, self._session.trust
        if loaded is None or loaded.series is None:
            return None
        series = loaded.series
        self._session.standings = Standings(None, CHECKING, NOT_COMPARED)

        def verb(progress: Progress) -> Standings:
            return standings(series, trust, progress)

        def done(found: Standings) -> None:
            if self._session.loaded is loaded:
                self._session.standings = found

        self.job = self._work.start(verb, "Verifying")
        self.job.finished.connect(done)
        self.job.failed.connect(lambda _: done(Standings(None, UNKNOWN, NOT_COMPARED)))
        return self.job

    def open(self) -> None:
        """There is a dock in the window (again)."""
        self._closed = False

    def close(self) -> None:
        """The window is gone."""
        self._closed = True
        self._forget()

    def _due(self, loaded: Loaded) -> None:
        if not self._closed and self._session.loaded is loaded and self.job is None:
            self.check()

    def _forget(self) -> None:
        if self.job is not None:
            self.job.forget()
            self.job = None

    def _on_loaded(self, loaded: Loaded | None) -> None:
        self._forget()
        if loaded is None:
            self._session.standings = None
        elif loaded.series is None:
            self._session.standings = Standings(None, NO_FILES, NOT_COMPARED)
        else:
            self._session.standings = Standings(None, CHECKING, NOT_COMPARED)
            QTimer.singleShot(_PAUSE, partial(self._due, loaded))
