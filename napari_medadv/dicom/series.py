"""Series: what lies in a folder, told from headers alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.geometry import Problem, arrange, placed
from napari_medadv.dicom.header import Header, read_header
from napari_medadv.dicom.layout import Layout, layout
from napari_medadv.dicom.meaning import facts as pixel_facts
from napari_medadv.errors import SeriesError
from napari_medadv.progress import Progress, silent, throttled


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One file of a series.

    Attributes
    ----------
    sop_uid
        SOP Instance UID.
    number
        Instance Number, for people; never used for order.
    position
        Image Position (Patient) in mm, or None.
    layout
        How the pixels are stored, or None where `fault` says why they cannot be read.
    """

    path: Path
    sop_uid: str
    number: int | None
    position: tuple[float, float, float] | None
    header: Header = field(repr=False)
    layout: Layout | None = field(repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Images that belong together, in the order in which a volume stacks them; no pixel was read yet.

    Attributes
    ----------
    uid, study_uid
        Series and Study Instance UID.
    description
        Series Description. It may name the patient: for the screen, never for a report.
    instances
        The files, along the normal of the slices.
    root
        The folder or file that was scanned: nothing is ever written there.
    part
        What tells this volume from others of the same uid, or "".
    facts
        What is unusual (a gantry tilt, lossy compression), as sentences.
    problems
        Why `decode` will refuse this series.
    """

    uid: str
    study_uid: str
    modality: str
    description: str
    instances: tuple[Instance, ...] = field(repr=False)
    root: Path = field(repr=False)
    number: int | None = None
    part: str = ""
    facts: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of the first image."""
        return self.instances[0].header.short(a.ROWS) or 0

    @property
    def columns(self) -> int:
        """Columns of the first image."""
        return self.instances[0].header.short(a.COLUMNS) or 0

    @property
    def frames(self) -> int:
        """Slices in all."""
        return sum(1 if each.layout is None else each.layout.frames for each in self.instances)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that is in no series, and the sentence that says why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Scan(Sequence[Series]):
    """The series found, as a sequence of them, and beside it what could not be read."""

    series: tuple[Series, ...]
    rejected: tuple[Rejected, ...] = ()

    def __len__(self) -> int:
        return len(self.series)

    @overload
    def __getitem__(self, index: int) -> Series: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Series, ...]: ...
    def __getitem__(self, index: int | slice) -> Series | tuple[Series, ...]:
        return self.series[index]

    def __iter__(self) -> Iterator[Series]:
        return iter(self.series)


def scan(path: Path, *, progress: Progress = silent) -> Scan:
    """Find the series of a file or of a folder of any depth.

    Raises
    ------
    SeriesError
        Nothing is there, or no DICOM image is among the files.
    """
    path = Path(path)
    report = throttled(progress)
    files = sorted(_files(path))
    if not files:
        raise SeriesError(f"The folder {path.name} holds no files: choose a folder with DICOM files.")
    groups: dict[tuple[str, ...], list[Instance]] = {}
    rejected = []
    for index, file in enumerate(files):
        report(index / len(files), f"reading headers, {index + 1} of {len(files)}")
        try:
            instance = read_instance(Path(file))
        except SeriesError as refusal:
            rejected.append(Rejected(Path(file), str(refusal)))
            continue
        groups.setdefault(_key(instance), []).append(instance)
    if not groups:
        if len(rejected) == 1:
            raise SeriesError(rejected[0].reason)
        raise SeriesError(
            f"None of the {len(files)} files in {path.name} is a DICOM image; the first: {rejected[0].reason}"
        )
    found = sorted((_series(group, path) for group in groups.values()), key=lambda each: (each.number or 0, each.uid))
    progress(1.0, f"{len(found)} series found")
    return Scan(tuple(found), tuple(rejected))


def _files(path: Path) -> Iterator[str]:
    """Every file below `path`, without following links to folders, and without our own unfinished output."""
    if path.is_file():
        yield str(path)
        return
    if not path.is_dir():
        raise SeriesError(f"{path.name} does not exist: choose a DICOM file or a folder of them.")
    waiting = [str(path)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not (entry.name.startswith(".") and entry.name.endswith(".partial")):
                            waiting.append(entry.path)
                    elif entry.is_file():
                        yield entry.path
        except PermissionError:
            continue


def read_instance(path: Path) -> Instance:
    """Read one file's header; a file whose pixels are at fault stays, so that its slice is missed.

    Raises
    ------
    SeriesError
        It is no DICOM image at all.
    """
    header = read_header(path)
    if header.pixels is None and a.ROWS not in header:
        raise SeriesError(f"{path.name} is a DICOM file without an image: choose an image series.")
    found, fault = None, ""
    try:
        found = layout(header)
    except SeriesError as refusal:
        fault = str(refusal)
    number, position = header.number(a.INSTANCE_NUMBER), header.numbers(a.POSITION)
    return Instance(
        path,
        header.text(a.SOP_INSTANCE),
        None if number is None else int(number),
        (position[0], position[1], position[2]) if len(position) == 3 else None,
        header,
        found,
        fault,
    )


def _key(instance: Instance) -> tuple[str, ...]:
    """What instances of one series share; an image without a place stands alone."""
    uid = instance.header.text(a.SERIES)
    return (uid,) if uid and placed(instance.header) else (uid, str(instance.path))


def _series(group: list[Instance], root: Path) -> Series:
    stack = arrange([each.header for each in group])
    ordered = tuple(group[index] for index in stack.order)
    header = ordered[0].header
    number = header.number(a.SERIES_NUMBER)
    problems = stack.problems + _pixel_problems(ordered)
    layouts = [each.layout for each in ordered if each.layout is not None]
    found = stack.facts
    if layouts:
        found += pixel_facts([each.header for each in ordered], layouts[0])
    return Series(
        header.text(a.SERIES),
        header.text(a.STUDY),
        header.text(a.MODALITY),
        header.text(a.SERIES_DESCRIPTION),
        ordered,
        root,
        None if number is None else int(number),
        "",
        found,
        problems,
    )


def _pixel_problems(instances: Sequence[Instance]) -> tuple[Problem, ...]:
    first = instances[0].layout
    faults = [each.fault for each in instances if each.fault]
    if faults or first is None:
        more = f" ({len(faults)} files of this series are at fault)" if len(faults) > 1 else ""
        return (Problem("pixels", faults[0].rstrip(".") + more),)
    if any((each.layout.rows, each.layout.columns) != (first.rows, first.columns) for each in instances if each.layout):
        return (Problem("size", "its images have different sizes"),)
    if any(
        (each.layout.dtype, each.layout.limits, each.layout.samples) != (first.dtype, first.limits, first.samples)
        for each in instances
        if each.layout
    ):
        return (Problem("pixels", "its images store their pixels in different ways"),)
    if first.frames > 1:
        return (Problem("pixels", f"it is a multi-frame image of {first.frames} frames, which is not read yet"),)
    return ()
