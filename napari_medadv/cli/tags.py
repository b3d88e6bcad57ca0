"""List what a DICOM file says; what could name the patient is hidden until it is asked for."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from napari_medadv.cli.console import show


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH, --search, --show-identity and --json."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a DICOM file")
    parser.add_argument(
        "--search", metavar="WORDS", default="", help="only lines with all these words (tag, name, VR or value)"
    )
    parser.add_argument("--show-identity", action="store_true", help="also show what could name the patient")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """List the elements."""
    from napari_medadv.dicom.tags import tags

    lines = [line for line in tags(args.path, identity=args.show_identity) if line.matches(args.search)]
    words = [f"{'  ' * line.depth}{line.tag} {line.vr:2} {line.keyword or line.name}: {line.value}" for line in lines]
    if not lines:
        words = [f"Nothing in {args.path.name} holds {args.search!r}: search for a part of a tag, name, VR or value."]
    show("\n".join(words), {"tags": [asdict(line) for line in lines]}, as_json=args.json)
    return 0
