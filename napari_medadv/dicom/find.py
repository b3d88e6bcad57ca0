"""Find: the files to look into, in a folder, behind a DICOMDIR, or in a zip file."""

from __future__ import annotations

import lzma
import os
import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import pydicom

from napari_medadv.dicom.quiet import quiet
from napari_medadv.errors import SeriesError
from napari_medadv.progress import Progress, silent

UNPACKED = 16 << 30
"""A zip file that unpacks to more bytes than this is refused."""
ENTRIES = 200_000
"""A zip file or DICOMDIR with more entries than this is refused."""
_RATIO = 200
_LONGEST = 60
"""Letters of a file's name that are kept; more than 255 bytes no system takes."""
_DIRECTORY = 64 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """Files to look into.

    Attributes
    ----------
    files
        Their paths, sorted.
    missing
        What a DICOMDIR or zip file names and does not have, or must not have: name and reason.
    holder
        What must live as long as the files do.
    """

    files: tuple[str, ...]
    missing: tuple[tuple[str, str], ...] = ()
    holder: object = None


def find(path: Path, progress: Progress = silent) -> Found:
    """List the files of a folder of any depth, a DICOMDIR, a zip file, or a single file.

    The share of `progress` stays 0: nobody knows how many there are.

    Raises
    ------
    SeriesError
        Nothing is there, or a zip file or DICOMDIR is damaged or names more than is sane.
    """
    if path.is_dir():
        missing: list[tuple[str, str]] = []
        files = sorted(each for each in _below(path, missing, progress) if not each.upper().endswith("DICOMDIR"))
        return Found(tuple(files), tuple(sorted(missing)))
    if not path.is_file():
        what = "is neither a file nor a folder" if path.exists() else "does not exist"
        raise SeriesError(f"{called(path)} {what}: choose a DICOM file or a folder of them.")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as fault:
        raise SeriesError(f"{path.name} cannot be opened ({fault.strerror}): check that it may be read.") from fault
    if start == b"PK\x03\x04":
        return _unpacked(path, progress)
    return _directory(path) if path.name.upper().startswith("DICOMDIR") else Found((str(path),))


def called(path: Path) -> str:
    """The name of a file or folder, "." and ".." and the root included."""
    return (path.name.strip(".") and path.name) or path.resolve().name or str(path.resolve())


def _below(path: Path, missing: list[tuple[str, str]], progress: Progress) -> Iterator[str]:
    """Every file below `path`, without following links to folders, and without our own unfinished output.

    What cannot be looked into is added to `missing`, with the reason.
    """
    waiting = [str(path)]
    while waiting:
        progress(0.0, "looking into folders")
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not (entry.name.startswith(".") and entry.name.endswith(".partial")):
                            waiting.append(entry.path)
                    elif entry.is_file():
                        yield entry.path
                    elif entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110 - a Path of each costs more
                        missing.append((entry.path, f"{entry.name} is a link to what is not there: mend or remove it."))
        except OSError as fault:
            name = called(Path(folder))
            missing.append(
                (folder, f"The folder {name} cannot be opened ({fault.strerror}): check that it may be read.")
            )


def _directory(path: Path) -> Found:
    """The images that a DICOMDIR names, which must lie in its folder."""
    if path.stat().st_size > _DIRECTORY:
        raise SeriesError(f"{path.name} is larger than {_DIRECTORY >> 20} MiB: scan its folder instead.")
    try:
        with quiet():
            dataset = pydicom.dcmread(path, force=True)
            records = list(dataset.DirectoryRecordSequence)
            named = [each.ReferencedFileID for each in records if each.get("ReferencedFileID")]
    except (Exception, RecursionError) as fault:  # pydicom raises nearly everything on a damaged file
        raise SeriesError(f"{path.name} is not a readable DICOMDIR: scan its folder instead.") from fault
    if len(named) > ENTRIES:
        raise SeriesError(f"{path.name} names more than {ENTRIES} files: scan its folder instead.")
    folder = path.parent.resolve()
    files, missing = [], []
    for parts in named:
        relative = PurePosixPath(*([parts] if isinstance(parts, str) else parts))
        try:
            target = _actual(folder, relative)
            outside = not target.resolve().is_relative_to(folder)
        except (OSError, ValueError):  # a name that no file can have
            missing.append(("a file", f"{path.name} names a file by a name that no file can have."))
            continue
        if outside or not _inside(str(relative)):
            missing.append((relative.name, f"{path.name} names a file outside of its folder, which is not opened."))
        elif not target.is_file():
            missing.append((relative.name, f"{relative.name} is named in {path.name} and is not there."))
        else:
            files.append(str(target))
    if not files:
        raise SeriesError(f"None of the {len(named)} files that {path.name} names is there: copy the whole medium.")
    return Found(tuple(sorted(set(files))), tuple(missing))


def _actual(folder: Path, relative: PurePosixPath) -> Path:
    """The file on a medium whose names were copied in lower case, too."""
    plain, lower = folder / relative, folder / str(relative).lower()
    return lower if not plain.exists() and lower.exists() else plain


def _inside(name: str) -> bool:
    """Whether a path from a DICOMDIR or zip file stays where it belongs, on any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    absolute = posix.is_absolute() or windows.is_absolute() or bool(windows.drive)
    return not absolute and ".." not in posix.parts and ".." not in windows.parts


class _Unpacked:
    """A folder that is removed when nobody holds it any longer."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="medadv-zip-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


def _unpacked(path: Path, progress: Progress) -> Found:
    """The files of a zip file, unpacked into a folder that is removed when its series are forgotten."""
    holder = _Unpacked()
    files, missing = [], []
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
            declared = sum(each.file_size for each in entries)
            if len(entries) > ENTRIES or declared > UNPACKED or declared > (64 << 20) + _RATIO * path.stat().st_size:
                raise SeriesError(
                    f"{path.name} unpacks to {len(entries)} files of {declared >> 20} MiB: more than is sane."
                )
            for number, entry in enumerate(entries):
                progress(0.0, f"unpacking {number + 1} of {len(entries)}")
                if not _inside(entry.filename) or not PurePosixPath(entry.filename).name:
                    name = PurePosixPath(entry.filename.replace("\\", "/")).name
                    missing.append(
                        (name or "a file", f"{path.name} names a file outside of its folder, which is not unpacked.")
                    )
                    continue
                target = holder.folder / f"{number:06d}" / PurePosixPath(entry.filename).name[-_LONGEST:]
                target.parent.mkdir()
                with archive.open(entry) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                files.append(str(target))
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        zlib.error,
        lzma.LZMAError,
    ) as fault:  # zipfile tells of a password by RuntimeError
        raise SeriesError(
            f"{path.name} is a damaged or encrypted zip file: unpack it and choose the folder."
        ) from fault
    except OSError as fault:
        if fault.errno is None:  # bz2 tells of damaged data so
            raise SeriesError(f"{path.name} is a damaged zip file: copy it again from its source.") from fault
        raise SeriesError(f"{path.name} cannot be unpacked ({fault.strerror}): free some space.") from fault
    if not files:
        raise SeriesError(f"{path.name} holds no files: choose another one.")
    return Found(tuple(files), tuple(missing), holder)
