"""decode(): one series to one volume, or a sentence that says why not."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.geometry import arrange
from napari_medadv.dicom.layout import Layout
from napari_medadv.dicom.meaning import facts, scale, windows
from napari_medadv.dicom.pixels import read_pixels
from napari_medadv.dicom.series import Instance, Series
from napari_medadv.errors import SeriesError
from napari_medadv.progress import Progress, silent, throttled
from napari_medadv.volume import Array, Volume


def decode(series: Series, *, progress: Progress = silent) -> Volume:
    """Read the pixels of a series into a volume.

    Raises
    ------
    SeriesError
        The series is no honest volume, a file changed since it was scanned, or its pixels cannot be read.
    Cancelled
        `progress` said stop.
    """
    if series.problems:
        raise SeriesError(_sentence(series))
    first = series.instances[0].layout
    assert first is not None
    headers = [each.header for each in series.instances]
    stack = arrange(headers)
    voxels = _voxels(series.instances, first, progress)
    return Volume(
        voxels,
        stack.affine,
        scale(headers, first),
        () if first.colour else windows(headers[len(headers) // 2]),
        "RGB" if first.colour else first.photometric,
        series.modality,
        series.uid,
        stack.facts + facts(headers, first),
        stack.placed,
    )


def _sentence(series: Series) -> str:
    """The refusal: which series, the first problem, and what to do."""
    problem = series.problems[0]
    if problem.kind == "pixels" and problem.sentence[:4] != "its ":
        return f"{problem.sentence}."
    advice = {
        "gap": "find the missing files",
        "duplicate": "choose one acquisition of it",
        "size": "choose one image of it",
    }.get(problem.kind, "choose another series or a single image")
    name = f"series {series.number}" if series.number is not None else "this series"
    return f"{name.capitalize()} ({series.modality}, {series.frames} images) is not one volume: {problem.sentence}; {advice}."


def _voxels(instances: tuple[Instance, ...], layout: Layout, progress: Progress) -> Array:
    """Every slice in its place: layout.dtype, (z, y, x) or (z, y, x, channel)."""
    report = throttled(progress)
    count = len(instances)
    try:
        voxels = np.empty((count, *layout.shape), layout.dtype)
    except MemoryError as fault:
        raise SeriesError(
            f"A volume of {count} x {layout.rows} x {layout.columns} does not fit into memory."
        ) from fault

    def read(index: int) -> None:
        instance = instances[index]
        assert instance.layout is not None
        read_pixels(instance.header, instance.layout, voxels[index : index + 1])

    compressed = instances[0].header.syntax not in a.NATIVE
    with ThreadPoolExecutor(_threads(count, compressed)) as pool:
        try:
            for done, _ in enumerate(pool.map(read, range(count))):
                report(done / count, f"reading slice {done + 1} of {count}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    progress(1.0, f"{count} slices read")
    return voxels


def _threads(count: int, compressed: bool) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores if compressed else min(cores, 4), count))
