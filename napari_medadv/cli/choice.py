"""Which series and which classifier are meant."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medadv.errors import SeriesError, SettingError
from napari_medadv.progress import Progress, silent
from napari_medadv.room import SHARE, standard

if TYPE_CHECKING:
    from napari_medadv.dicom import Series
    from napari_medadv.dicom.geometry import Allowable
    from napari_medadv.model import Classifier
    from napari_medadv.volume import Volume


@dataclass(frozen=True, slots=True)
class Chosen:
    """The series that is meant, and how many files beside it could not be read."""

    series: Series
    unread: int

    def volume(self, progress: Progress = silent, *, allow: Collection[Allowable] = ()) -> Volume:
        """The series decoded; that files were not read is one of the facts, without their names."""
        from napari_medadv.dicom import decode

        volume = decode(self.series, allow=allow, progress=progress)
        if not self.unread:
            return volume
        files = "1 file" if self.unread == 1 else f"{self.unread} files"
        return replace(
            volume, facts=(*volume.facts, f"{files} of the source could not be read: `medadv scan` says why")
        )


def series_arguments(parser: argparse.ArgumentParser) -> None:
    """PATH and --series."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a DICOM file, or a folder of them at any depth")
    parser.add_argument(
        "--series", metavar="UID|N", help="which series, by the start of its UID or its number in `scan`"
    )
    memory_argument(parser)


def allow_argument(parser: argparse.ArgumentParser) -> None:
    """--allow, once for each kind of problem to overlook."""
    parser.add_argument(
        "--allow",
        metavar="PROBLEM",
        action="append",
        default=[],
        choices=["gap", "uneven", "drift", "mosaic"],
        help="read the series in spite of a gap, uneven or drifting slices, or mosaics (gap, uneven, drift, mosaic; "
        "may be repeated): said in every result",
    )


def memory_argument(parser: argparse.ArgumentParser) -> None:
    """--memory-share."""
    parser.add_argument(
        "--memory-share",
        metavar="SHARE",
        help="of the memory, from 0 to 1, that one volume may take; a larger one is kept in a temporary file "
        f"(default: 0.25, or what {SHARE} says)",
    )


@contextmanager
def memory_share(args: argparse.Namespace) -> Iterator[None]:
    """Let volumes take the share that was asked for, as long as a command runs."""
    before, said = os.environ.get(SHARE), getattr(args, "memory_share", None)
    if said is not None:
        os.environ[SHARE] = said
    try:
        try:
            standard()
        except SettingError as error:
            raise (error if said is None else SettingError(str(error).replace(SHARE, "--memory-share"))) from None
        yield
    finally:
        if said is not None:
            os.environ.pop(SHARE)
            if before is not None:
                os.environ[SHARE] = before


def classifier_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """--model, --card, --device and --trust-code."""
    parser.add_argument("--model", metavar="FILE", required=required, help="weights, a card, or module:callable")
    parser.add_argument("--card", metavar="FILE", type=Path, help="the card, where it does not lie beside the weights")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--trust-code", action="store_true", help="run the Python code of a module:callable model")


def seed(words: str) -> int:
    """A seed from the command line.

    Raises
    ------
    argparse.ArgumentTypeError
        It is none that a random generator takes.
    """
    if not words.isascii() or not words.isdigit() or int(words) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"{words} is no seed: a whole number from 0 to 2**63 - 1 is expected")
    return int(words)


def chosen_series(path: Path, wanted: str | None, progress: Progress = silent) -> Chosen:
    """The one series at `path` that `wanted` names.

    Raises
    ------
    SeriesError
        There is none, or there are several to choose from.
    """
    from napari_medadv.dicom import scan

    scanned = scan(path, progress=progress)
    found, unread = scanned.series, len(scanned.rejected)
    if wanted is None:
        if len(found) == 1:
            return Chosen(found[0], unread)
        listed = "; ".join(f"{number}: {_words(series)}" for number, series in enumerate(found[:8], 1))
        more = f"; and {len(found) - 8} more" if len(found) > 8 else ""
        raise SeriesError(f"{len(found)} series were found ({listed}{more}): choose one with --series NUMBER or UID.")
    if wanted.isdecimal() and 1 <= int(wanted) <= len(found):
        return Chosen(found[int(wanted) - 1], unread)
    fitting = [series for series in found if series.uid.startswith(wanted)]
    if len(fitting) != 1:
        raise SeriesError(
            f"--series {wanted} fits {len(fitting)} of the {len(found)} series found: give a number from 1 to {len(found)}, "
            "or more of the UID."
        )
    return Chosen(fitting[0], unread)


def chosen_classifier(args: argparse.Namespace) -> Classifier:
    """The classifier that the arguments name."""
    from napari_medadv.model import load_classifier

    return load_classifier(args.model, args.card, device=args.device, trust_code=args.trust_code)


def _words(series: Series) -> str:
    part = f", {series.part}" if series.part else ""
    return f"{series.modality} {series.description!r}, {series.frames} slices{part}"
