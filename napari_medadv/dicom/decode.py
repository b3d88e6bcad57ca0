"""decode(): one series to one volume, or a sentence that says why not."""

from __future__ import annotations

import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.geometry import Allowable, Problem, arrange
from napari_medadv.dicom.instance import Slice
from napari_medadv.dicom.layout import Layout
from napari_medadv.dicom.meaning import facts, scale, sides, windows
from napari_medadv.dicom.pixels import Frames
from napari_medadv.dicom.real_world import real_scale, real_window
from napari_medadv.dicom.series import Series
from napari_medadv.errors import SeriesError, wrong_kind
from napari_medadv.progress import Progress, silent, throttled
from napari_medadv.room import Room, standard
from napari_medadv.volume import Array, Volume

_LONGEST = 64 << 20
"""Bytes that are read in a row, after which progress is told and a stop is heard."""


def decode(
    series: Series, *, allow: Collection[Allowable] = (), room: Room | None = None, progress: Progress = silent
) -> Volume:
    """Read the pixels of a series into a volume.

    Parameters
    ----------
    allow
        Problems to overlook; each becomes a fact of the volume.
    room
        How much memory the volume may take; what takes more lies in a mapped file. None takes what the environment says.

    Raises
    ------
    SeriesError
        The series is no honest volume, a file changed since it was scanned, or its pixels cannot be read.
    Cancelled
        `progress` said stop.
    """
    if not isinstance(series, Series):
        raise SeriesError(wrong_kind("What is to be decoded", series, "a Series", "take one, as in scan(path)[0]"))
    problems = [problem for problem in series.problems if problem.kind not in allow]
    if problems:
        raise SeriesError(_sentence(series, problems[0]))
    first = series.instances[0].layout
    assert first is not None
    headers = [each.header for each in series.slices]
    stack = arrange(headers, allow)
    overlooked = tuple(
        f"allowed by choice: {problem.sentence}"
        for problem in series.problems
        if problem.kind in allow and problem.kind == "mosaic"
    )
    middle = len(headers) // 2
    if first.real:
        values = _one(series.slices[middle])
        meaning = real_scale(series.slices, values)
        shown = real_window(meaning, windows(headers[middle], meaning), values)
    else:
        meaning = scale(headers, first)
        shown = () if first.colour else windows(headers[middle], meaning)
    return Volume(
        _voxels(series.slices, first, room or standard(), progress),
        stack.affine,
        meaning,
        shown,
        "RGB" if first.colour else first.photometric,
        series.modality,
        series.uid,
        stack.facts + overlooked + facts(headers, first),
        stack.placed,
        ("", "") if stack.placed else sides(headers[0]),
    )


def _sentence(series: Series, problem: Problem) -> str:
    """The refusal: which series, the problem, and what to do."""
    if problem.kind == "pixels" and problem.sentence[:4] != "its ":
        return f"{problem.sentence}."
    advice = {
        "gap": "find the missing files, or allow the gap (--allow gap)",
        "uneven": "choose another series, or allow uneven slices (--allow uneven)",
        "drift": "choose another series, or allow the drift (--allow drift)",
        "mosaic": "choose another series, or allow the mosaics (--allow mosaic)",
        "duplicate": "choose one acquisition of it",
        "size": "choose one image of it",
    }.get(problem.kind, "choose another series or a single image")
    name = f"series {series.number}" if series.number is not None else "this series"
    part = f", {series.part}" if series.part else ""
    return f"{name.capitalize()} ({series.modality}, {series.frames} images{part}) is not one volume: {problem.sentence}; {advice}."


def _one(each: Slice) -> Array:
    """The pixels of one slice."""
    assert each.instance.layout is not None
    out = np.empty(each.instance.layout.shape, each.instance.layout.dtype)
    Frames(each.instance.header, each.instance.layout).read(each.frame, out)
    return out


def _voxels(slices: tuple[Slice, ...], layout: Layout, room: Room, progress: Progress) -> Array:
    """Every slice in its place: layout.dtype, (z, y, x) or (z, y, x, channel)."""
    report = throttled(progress)
    count = len(slices)
    voxels = room.array((count, *layout.shape), layout.dtype)
    many = {
        id(each.instance): Frames(each.instance.header, each.instance.layout)
        for each in {id(each.instance): each for each in slices}.values()
        if each.instance.layout is not None and each.instance.layout.images > 1
    }

    def read(index: int) -> None:
        each = slices[index]
        assert each.instance.layout is not None
        frames = many.get(id(each.instance)) or Frames(each.instance.header, each.instance.layout)
        frames.read(each.frame, voxels[index])

    def read_some(some: range) -> int:
        first = slices[some.start]
        run = many.get(id(first.instance))
        if run is not None and run.plain and _follow(slices[some.start : some.stop]):
            run.read(first.frame, voxels[some.start : some.stop])
            return some.stop
        for index in some:
            read(index)
        return some.stop

    compressed = slices[0].instance.header.syntax not in a.NATIVE
    threads = _threads(count, compressed)
    step = 1 if compressed else 8  # handing a job to a thread costs as much as reading a slice that is not compressed
    if len(many) == 1 and next(iter(many.values())).plain:
        step = max(step, _long(count, threads, voxels[0].nbytes))
    jobs = [range(start, min(start + step, count)) for start in range(0, count, step)]
    with ThreadPoolExecutor(min(threads, len(jobs))) as pool:
        try:
            for done in pool.map(read_some, jobs):
                report(done / count, f"reading slice {done} of {count}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    progress(1.0, f"{count} slices read")
    return voxels


def _follow(slices: tuple[Slice, ...]) -> bool:
    """Whether slices are frames of one file that follow one another in it."""
    return all(each.instance is before.instance and each.frame == before.frame + 1 for before, each in pairwise(slices))


def _long(count: int, threads: int, size: int) -> int:
    """How many frames of `size` bytes one thread reads in a row: its share in as few pieces as `_LONGEST` allows."""
    turns = -(-count * size // (threads * _LONGEST))
    return -(-count // (threads * turns))


def _threads(count: int, compressed: bool) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores if compressed else min(cores, 4), count))
