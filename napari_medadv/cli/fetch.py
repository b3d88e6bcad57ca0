"""Pull a series from an archive into a folder, by DICOMweb or DIMSE; nothing is ever sent to the archive."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medadv.cli.console import show, watched
from napari_medadv.errors import SeriesError

if TYPE_CHECKING:
    from napari_medadv.dicom.remote import Archive, RemoteSeries

RESUMES = True


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """Where the archive is, which series, and --out; without --out the series are listed."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--web", metavar="URL", help="a DICOMweb service, such as http://host:8042/dicom-web")
    where.add_argument("--dimse", metavar="HOST:PORT", help="an archive that answers C-FIND and C-MOVE")
    parser.add_argument("--title", default="ANY-SCP", help="the archive's title (DIMSE)")
    parser.add_argument("--own-title", default="MEDADV", help="our title, as the archive knows it (DIMSE)")
    parser.add_argument("--own-port", type=int, default=11112, help="the port to which the archive sends (DIMSE)")
    parser.add_argument("--study", metavar="UID", default="", help="only series of this study")
    parser.add_argument("--modality", default="", help="only series of this modality")
    parser.add_argument(
        "--series", metavar="UID", default="", help="the series to pull (a beginning of its UID is enough)"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="the folder; a pull that was stopped goes on there")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """List or pull."""
    from napari_medadv.dicom.remote import fetch

    archive = _archive(args)
    found = [each for each in archive.search(args.study, args.modality) if each.uid.startswith(args.series)]
    if args.out is None:
        lines = [
            f"{each.modality:4} {each.instances or '?':>5} images  {each.description}  {each.uid}" for each in found
        ]
        show("\n".join(lines), {"series": [asdict(each) for each in found]}, as_json=args.json)
        return 0
    chosen = _one(found)
    with watched() as progress:
        files = fetch(archive, chosen, args.out, progress=progress)
    show(f"{len(files)} images are in {args.out}", {"series": asdict(chosen), "images": len(files)}, as_json=args.json)
    return 0


def _archive(args: argparse.Namespace) -> Archive:
    if args.web:
        from napari_medadv.dicom.dicomweb import DicomWeb

        return DicomWeb(args.web)
    from napari_medadv.dicom.dimse import Dimse

    host, _, port = args.dimse.rpartition(":")
    if not host or not port.isdigit():
        raise SeriesError(f"{args.dimse} is no address: HOST:PORT is expected, such as archive:104.")
    return Dimse(host, int(port), args.title, args.own_title, args.own_port)


def _one(found: list[RemoteSeries]) -> RemoteSeries:
    if len(found) != 1:
        raise SeriesError(
            f"{len(found)} series of the archive fit: name one with --series, after listing them without --out."
        )
    return found[0]
