"""List the series of a folder, from headers alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medadv.cli.console import show, watched


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH and --json."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a DICOM file, or a folder of them at any depth")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Scan and list."""
    from napari_medadv.dicom import scan

    with watched() as progress:
        found = scan(args.path, progress=progress)
    lines, facts = [], []
    for number, series in enumerate(found.series, 1):
        lines.append(
            f"{number:3}  {series.modality:4} {series.rows} x {series.columns}, {len(series.instances)} instances  "
            f"{series.description or '(no description)'}  {series.uid}"
        )
        lines += [f"       {fact}" for fact in series.facts]
        facts.append(
            {
                "number": number,
                "uid": series.uid,
                "study_uid": series.study_uid,
                "modality": series.modality,
                "description": series.description,
                "instances": len(series.instances),
                "rows": series.rows,
                "columns": series.columns,
                "facts": list(series.facts),
            }
        )
    rejected = [{"file": one.path.name, "reason": one.reason} for one in found.rejected]
    lines += [f"  not read: {one['file']}: {one['reason']}" for one in rejected]
    show("\n".join(lines), {"series": facts, "rejected": rejected}, as_json=args.json)
    return 0
