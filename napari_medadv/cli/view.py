"""Open napari with the docks, a series and a classifier."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medadv.cli.choice import memory_argument


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH and --model, both optional."""
    parser.add_argument("path", metavar="PATH", type=Path, nargs="?", help="a DICOM file or folder")
    parser.add_argument("--model", metavar="FILE", help="weights, a card, or module:callable")
    memory_argument(parser)
    parser.add_argument("--trust-code", action="store_true", help="run the Python code of a module:callable model")


def run(args: argparse.Namespace) -> int:
    """Show the viewer until it is closed."""
    from napari_medadv.cli.screen import require_screen, require_viewer
    from napari_medadv.errors import SeriesError

    if args.path is not None and not args.path.exists():
        raise SeriesError(f"{args.path.name} does not exist: choose a DICOM file or a folder of them.")
    require_screen()
    require_viewer()
    from napari_medadv.widgets.opener import view

    view(args.path, args.model, trust_code=args.trust_code)
    return 0
