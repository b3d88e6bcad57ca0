"""Series: what lies in a folder, told from headers alone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from napari_medadv.dicom import attribute as a
from napari_medadv.dicom.find import called, find
from napari_medadv.dicom.geometry import Problem, arrange
from napari_medadv.dicom.header import Header
from napari_medadv.dicom.instance import Instance, Slice, read_instance, same_pixels, slices, whole
from napari_medadv.dicom.meaning import facts as pixel_facts
from napari_medadv.dicom.mosaic import mosaic
from napari_medadv.dicom.split import split
from napari_medadv.dicom.template import Templates
from napari_medadv.errors import SeriesError, wrong_kind
from napari_medadv.progress import Progress, silent, throttled


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
    slices
        The images of the files, in the order in which a volume stacks them.
    part
        What tells this volume from others of the same uid, or "".
    facts
        What is unusual (a gantry tilt, lossy compression), as sentences.
    problems
        Why `decode` will refuse this series, unless it is told to allow it.
    patient
        The same for series of one patient in this run of the program; it names nobody.
    holder
        What must live as long as the files do (the folder into which a zip file was unpacked).
    """

    uid: str
    study_uid: str
    modality: str
    description: str
    instances: tuple[Instance, ...] = field(repr=False)
    root: Path = field(repr=False)
    slices: tuple[Slice, ...] = field(repr=False)
    number: int | None = None
    part: str = ""
    facts: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    patient: str = ""
    holder: object = field(default=None, repr=False)

    @property
    def rows(self) -> int:
        """Rows of the first image."""
        return self.slices[0].header.short(a.ROWS) or 0

    @property
    def columns(self) -> int:
        """Columns of the first image."""
        return self.slices[0].header.short(a.COLUMNS) or 0

    @property
    def frames(self) -> int:
        """Slices in all."""
        return len(self.slices)


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

    @property
    def tree(self) -> dict[str, dict[str, tuple[Series, ...]]]:
        """The series by patient (a name that says nothing) and Study Instance UID."""
        found: dict[str, dict[str, tuple[Series, ...]]] = {}
        for each in self.series:
            studies = found.setdefault(each.patient, {})
            studies[each.study_uid] = (*studies.get(each.study_uid, ()), each)
        return found


def scan(path: Path, *, progress: Progress = silent) -> Scan:
    """Find the series of a file, a DICOMDIR, a zip file, or a folder of any depth.

    Raises
    ------
    SeriesError
        Nothing is there, or no DICOM image is among the files.
    """
    if not isinstance(path, str | os.PathLike):
        raise SeriesError(wrong_kind("Where series are looked for", path, "a path", "give a file or a folder"))
    path = Path(path)
    report = throttled(progress)
    found = find(path, report)
    if not found.files:
        nothing = f"The folder {called(path)} holds no files: choose a folder with DICOM files."
        raise SeriesError(found.missing[0][1] if found.missing else nothing)
    groups: dict[str, list[Slice]] = {}
    known: dict[str, Instance] = {}
    templates = Templates()
    rejected = [Rejected(Path(file), reason) for file, reason in found.missing]
    for index, file in enumerate(found.files):
        report(index / len(found.files), f"reading headers, {index + 1} of {len(found.files)}")
        try:
            instance = read_instance(file, templates)
            copied = known.setdefault(instance.sop_uid or file, instance)
            if copied is not instance and copied.header.raw == instance.header.raw and same_pixels(copied, instance):
                raise SeriesError(f"{Path(file).name} is a copy of {copied.path.name}: it is left out.")
            images = slices(instance)
        except SeriesError as refusal:
            rejected.append(Rejected(Path(file), str(refusal)))
            continue
        groups.setdefault(instance.header.text(a.SERIES) or file, []).extend(images)
    if not groups:
        if len(rejected) == 1:
            raise SeriesError(rejected[0].reason)
        raise SeriesError(
            f"None of the {len(found.files)} files in {called(path)} is a DICOM image; the first: {rejected[0].reason}"
        )
    series = [_series(part, images, path, found.holder) for group in groups.values() for part, images in split(group)]
    series.sort(key=lambda each: (each.number or 0, each.uid))
    progress(1.0, f"{len(series)} series found")
    return Scan(tuple(series), tuple(rejected))


def _series(part: str, group: list[Slice], root: Path, holder: object) -> Series:
    stack = arrange([each.header for each in group])
    ordered = tuple(group[index] for index in stack.order)
    headers = [each.header for each in ordered]
    instances = tuple({id(each.instance): each.instance for each in ordered}.values())
    number = headers[0].number(a.SERIES_NUMBER)
    layouts = [each.layout for each in instances if each.layout is not None]
    return Series(
        headers[0].text(a.SERIES),
        headers[0].text(a.STUDY),
        headers[0].text(a.MODALITY),
        headers[0].words(a.SERIES_DESCRIPTION),
        instances,
        root,
        ordered,
        None if number is None else int(number),
        part,
        stack.facts + (pixel_facts(headers, layouts[0]) if layouts else ()),
        stack.problems + _pixel_problems(instances),
        _patient(headers[0]),
        holder,
    )


_SALT = os.urandom(16)


def _patient(header: Header) -> str:
    """A short name for a patient that says nothing, and differs from run to run."""
    who = b"\0".join(header.raw.get(tag, b"").strip() for tag in (a.PATIENT_ID, a.PATIENT_NAME, a.BIRTH_DATE))
    return hashlib.sha256(_SALT + who).hexdigest()[:8]


def _pixel_problems(instances: Sequence[Instance]) -> tuple[Problem, ...]:
    first = instances[0].layout
    faults = [each.fault for each in instances if each.fault]
    if faults or first is None:
        more = f" ({len(faults)} files of this series are at fault)" if len(faults) > 1 else ""
        return (Problem("pixels", faults[0].rstrip(".") + more),)
    layouts = {id(each.layout): each.layout for each in instances if each.layout}.values()
    if any((each.rows, each.columns) != (first.rows, first.columns) for each in layouts):
        return (Problem("size", "its images have different sizes"),)
    if any(
        (each.dtype, each.limits, each.samples, each.tiles) != (first.dtype, first.limits, first.samples, first.tiles)
        for each in layouts
    ):
        return (Problem("pixels", "its images store their pixels in different ways"),)
    unknown = next((each for each in instances if each.layout and whole(each.header, each.layout)), None)
    if unknown is not None:
        return (Problem("mosaic", f"its images are mosaics of slices (Siemens), and {_untold(unknown)}"),)
    return ()


def _untold(instance: Instance) -> str:
    """Why the tiles of a mosaic cannot be told apart."""
    assert instance.layout is not None
    try:
        mosaic(instance.header, instance.layout)
    except SeriesError as reason:
        return str(reason)
    return "its tiles cannot be told apart"
