"""Jobs: one after the other, stopped within a step, errors as one sentence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_medadv.errors import ThreatError
from napari_medadv.progress import Progress
from napari_medadv.widgets.work import Job, Work

Until = Callable[..., None]


@pytest.fixture
def work() -> Any:
    found = Work()
    yield found
    found.close()
    assert found.wait(10)


def heard(job: Job) -> list[tuple[str, Any]]:
    said: list[tuple[str, Any]] = []
    job.finished.connect(lambda value: said.append(("finished", value)))
    job.failed.connect(lambda words: said.append(("failed", words)))
    job.ended.connect(lambda: said.append(("ended", None)))
    return said


def test_a_result_arrives_in_the_windows_thread(work: Work, until: Until) -> None:
    where: list[threading.Thread] = []
    job = work.start(lambda _: threading.current_thread(), "The work")
    job.finished.connect(lambda thread: where.extend([thread, threading.current_thread()]))
    until(lambda: where)
    assert where[0] is not threading.current_thread() and where[1] is threading.current_thread()


def test_an_error_is_one_sentence(work: Work, until: Until) -> None:
    def verb(_: Progress) -> None:
        raise ThreatError("The budget is none: give another.")

    said = heard(work.start(verb, "The attack"))
    until(lambda: ("ended", None) in said)
    assert said == [("failed", "The budget is none: give another."), ("ended", None)]


def test_an_unexpected_error_says_so_in_one_sentence(work: Work, until: Until) -> None:
    said = heard(work.start(lambda _: [][1], "The attack"))
    until(lambda: ("ended", None) in said)
    assert said[0][1].startswith("The attack failed unexpectedly (IndexError: list index out of range)")


def test_a_path_that_is_too_long_is_no_fault_of_ours(work: Work, until: Until) -> None:
    said = heard(work.start(lambda _: Path("a" * 300).stat(), "Loading the model"))
    until(lambda: ("ended", None) in said)
    assert "give a shorter one" in said[0][1]


def test_cancel_stops_at_the_next_report(work: Work, until: Until) -> None:
    steps, going = [], threading.Event()

    def verb(progress: Progress) -> None:
        for step in range(10_000):
            steps.append(step)
            going.set()
            threading.Event().wait(0.002)
            progress(step / 10_000, "attacking")

    job = work.start(verb, "The attack")
    said = heard(job)
    assert going.wait(10)
    job.cancel()
    at = len(steps)
    until(lambda: ("ended", None) in said)
    assert said[0] == ("failed", "The attack was stopped.") and len(steps) <= at + 2


def test_progress_is_told_about_ten_times_a_second_at_most(work: Work, until: Until) -> None:
    told: list[float] = []

    def verb(progress: Progress) -> None:
        for step in range(300):
            threading.Event().wait(0.001)
            progress(step / 300, "attacking")

    job = work.start(verb, "The attack")
    job.progressed.connect(lambda share, _: told.append(share))
    said = heard(job)
    until(lambda: ("ended", None) in said)
    assert 1 <= len(told) < 60


def test_a_forgotten_job_is_not_heard(work: Work, until: Until, qtbot: Any) -> None:
    job = work.start(lambda _: 1, "The work")
    said = heard(job)
    job.forget()
    assert job.done.wait(10)
    qtbot.wait(50)
    assert said == []


def test_jobs_run_one_after_the_other(work: Work, until: Until) -> None:
    order: list[int] = []

    def verb(number: int) -> Callable[[Progress], None]:
        return lambda _: order.append(number)

    jobs = [work.start(verb(number), "The work") for number in range(5)]
    until(lambda: not any(job.running for job in jobs))
    assert order == [0, 1, 2, 3, 4]


def test_a_job_that_ended_before_the_next_is_still_heard(qtbot: Any) -> None:
    work, heard = Work(), list[int]()
    for number in range(3):

        def verb(progress: Progress, number: int = number) -> int:
            return number

        job = work.start(verb, "Counting")
        job.finished.connect(heard.append)
        assert job.done.wait(20)
        del job  # nobody else holds it, and the window has not yet heard of it
    qtbot.waitUntil(lambda: len(heard) == 3, timeout=20_000)
    assert heard == [0, 1, 2]
    work.close()
