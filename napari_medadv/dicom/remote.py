"""Remote: series pulled from an archive into a folder, by DICOMweb or DIMSE. Only reading: nothing is ever sent to an archive.

A pull streams each instance to a hidden file that is renamed when it is whole, asks what the archive holds, fetches only
what is not there yet, and says when something is missing: a killed pull goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_medadv.dicom.derivation import derived_uid
from napari_medadv.errors import OutputError, SeriesError
from napari_medadv.progress import Progress, silent, throttled


@dataclass(frozen=True, slots=True)
class RemoteSeries:
    """A series that an archive says it has; no patient attribute is asked for.

    Attributes
    ----------
    instances
        How many the archive says there are, or None where it does not say.
    """

    uid: str
    study_uid: str
    modality: str = ""
    description: str = ""
    number: int | None = None
    instances: int | None = None


class Archive(Protocol):
    """Where series can be searched and pulled from."""

    def search(self, study_uid: str = "", modality: str = "") -> tuple[RemoteSeries, ...]:
        """List the series of a study, or of all studies."""
        ...

    def contents(self, series: RemoteSeries) -> frozenset[str]:
        """The SOP Instance UIDs of a series."""
        ...

    def pull(self, series: RemoteSeries, wanted: frozenset[str], receive: Callable[[str, bytes], None]) -> None:
        """Fetch instances as they are stored (or as the archive encodes them) and hand each to `receive`."""
        ...


def fetch(archive: Archive, series: RemoteSeries, folder: Path, *, progress: Progress = silent) -> tuple[Path, ...]:
    """Pull a series into `folder`, which may hold a part of it already; the files.

    Raises
    ------
    SeriesError
        The archive does not answer, or did not send everything.
    OutputError
        The folder cannot be written.
    Cancelled
        `progress` said stop; what is whole stays, for the next time.
    """
    folder = Path(folder)
    report = throttled(progress)
    contents = archive.contents(series)
    if not contents:
        raise SeriesError("The archive holds no image of this series: search again.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for torn in folder.glob(".*.partial"):
            torn.unlink()
        wanted = frozenset(uid for uid in contents if not place(folder, uid).exists())
        total, done = len(contents), len(contents) - len(wanted)

        def receive(uid: str, data: bytes) -> None:
            nonlocal done
            if uid not in wanted or place(folder, uid).exists():
                return
            target = place(folder, uid)
            aside = target.with_name(f".{target.name}.partial")
            aside.write_bytes(data)
            aside.replace(target)
            done += 1
            report(done / total, f"fetched {done} of {total}")

        progress(done / total, f"{done} of {total} are here already")
        if wanted:
            archive.pull(series, wanted, receive)
    except OSError as fault:
        if isinstance(fault, ConnectionError) or fault.strerror is None:
            raise SeriesError(
                "The archive does not answer any more: try again, and the pull goes on where it stopped."
            ) from fault
        raise OutputError(f"{folder.name} cannot be written ({fault.strerror}): choose another folder.") from fault
    missing = [uid for uid in contents if not place(folder, uid).exists()]
    if missing:
        raise SeriesError(f"{len(missing)} of {len(contents)} images did not arrive: try again, and the pull goes on.")
    progress(1.0, f"{len(contents)} images are here")
    return tuple(sorted(place(folder, uid) for uid in contents))


def whole_number(text: object) -> int | None:
    """The number that an archive wrote, or None where it is none."""
    try:
        return int(float(str(text)))
    except (ValueError, OverflowError):
        return None


def place(folder: Path, uid: str) -> Path:
    """Where an instance is kept: a name that links to nobody."""
    return folder / f"{derived_uid(uid, 'file').rsplit('.', 1)[-1]}.dcm"
