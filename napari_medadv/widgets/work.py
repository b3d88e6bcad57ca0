"""Work: verbs run beside the window, one after the other; the only file that knows threads."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal  # type: ignore[attr-defined]

from napari_medadv.errors import Cancelled, MedAdvError, too_long
from napari_medadv.progress import Progress

_LOG = logging.getLogger(__name__)

Verb = Callable[[Progress], Any]


class Job(QObject):
    """One verb under way. Its signals arrive in the window's thread.

    After `cancel`, the verb stops at its next report; after `forget` and `leave`, nothing is heard of it any more.
    """

    progressed = Signal(float, str)
    finished = Signal(object)
    failed = Signal(str)
    ended = Signal()

    _told = Signal(str, object)

    def __init__(self, verb: Verb, what: str, *, writes: bool = False) -> None:
        super().__init__()
        self.what = what
        self._writes = writes
        self._verb = verb
        self._stop = threading.Event()
        self._why = ""
        self._heard = True
        self._said_all = False
        self.done = threading.Event()
        self._told.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    @property
    def running(self) -> bool:
        """Whether the verb has not ended yet."""
        return not self.done.is_set()

    @property
    def over(self) -> bool:
        """Whether it ended and everything of it was heard; before that, who lets go of it loses its result."""
        return self.done.is_set() and (self._said_all or not self._heard)

    def cancel(self, why: str = "") -> None:
        """Stop the verb at its next report, and say why."""
        self._why = self._why or why
        self._stop.set()

    def forget(self) -> None:
        """Stop the verb, and tell nobody."""
        self._heard = False
        self.cancel()

    def leave(self) -> None:
        """The dock or the window is closed: tell nobody, and stop the verb unless it writes files that were asked for."""
        self._heard = False
        if not self._writes:
            self.cancel()

    def abandon(self) -> None:
        """Take the job as stopped at once; where the verb is stuck, nobody waits for it, and nothing is heard of it."""
        if self._heard and self.running:
            self.forget()
            self.failed.emit(f"{self.what} was stopped.")
            self.ended.emit()

    def run(self) -> None:
        """Run the verb; called in the working thread."""
        try:
            self._tell("finished", self._verb(self._reporter()))
        except Cancelled:
            self._tell("failed", f"{self.what} was stopped{self._why and f': {self._why}'}.")
        except MedAdvError as error:
            self._tell("failed", str(error))
        except Exception as error:
            if sentence := too_long(error):
                self._tell("failed", sentence)
                return
            _LOG.exception("%s failed", self.what)
            words = (str(error).strip().splitlines() or [""])[0]
            self._tell(
                "failed", f"{self.what} failed unexpectedly ({type(error).__name__}: {words}); please report this."
            )
        finally:
            self._verb = _nothing  # a job that is kept keeps no volume
            self.done.set()
            self._tell("ended", None)

    def _reporter(self) -> Progress:
        last = float("-inf")

        def report(share: float, words: str) -> None:
            nonlocal last
            if self._stop.is_set():
                raise Cancelled(self.what)
            now = time.monotonic()
            if now - last >= 0.1:
                last = now
                self._tell("progressed", (share, words))

        report(0.0, "")
        return report

    def _tell(self, signal: str, value: Any) -> None:
        try:
            self._told.emit(signal, value)
        except RuntimeError:
            self._heard = False

    def _hear(self, signal: str, value: Any) -> None:
        if self._heard:
            self._pass_on(signal, value)
        if signal == "ended":
            for each in (self.progressed, self.finished, self.failed, self.ended):
                with suppress(TypeError):  # nobody listened
                    each.disconnect()

    def _pass_on(self, signal: str, value: Any) -> None:
        if signal == "progressed":
            self.progressed.emit(*value)
        elif signal == "finished":
            self.finished.emit(value)
        elif signal == "failed":
            self.failed.emit(value)
        else:
            self._said_all = True
            self.ended.emit()


class Work:
    """A queue of jobs with one thread, so that two verbs never fight for the processor."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._jobs: list[Job] = []

    def start(self, verb: Verb, what: str, *, writes: bool = False) -> Job:
        """Queue `verb`; connect to the job's signals before returning to the event loop.

        Parameters
        ----------
        verb
            Called with a progress; its result goes to `finished`.
        what
            The verb in a person's words, the subject of its messages: "The attack".
        writes
            Whether it writes files: it then goes on where the window is closed.
        """
        job = Job(verb, what, writes=writes)
        self._jobs = [*(old for old in self._jobs if not old.over), job]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "medadv", initializer=_leave_a_core)
        self._pool.submit(job.run)
        return job

    @property
    def busy(self) -> bool:
        """Whether a job is under way or waits."""
        return any(job.running for job in self._jobs)

    def close(self) -> None:
        """Stop everything that writes no files, and tell nobody; returns at once, the thread ends at the next report."""
        for job in self._jobs:
            job.leave()
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None

    def wait(self, seconds: float) -> bool:
        """Wait until all jobs have ended; whether they have."""
        end = time.monotonic() + seconds
        return all(job.done.wait(max(0.0, end - time.monotonic())) for job in self._jobs)


def detached(verb: Verb, what: str) -> Job:
    """Run a verb that waits for others, such as an archive, in a thread of its own: nothing queues behind it.

    The thread does not keep the program alive; `Job.abandon` needs not wait for it.
    """
    job = Job(verb, what)
    threading.Thread(target=job.run, name="medadv-detached", daemon=True).start()
    return job


def _nothing(progress: Progress) -> None:
    """The verb of a job that has ended."""


def _leave_a_core() -> None:
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
