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
            f"{number:3}  {series.modality:4} {series.rows} x {series.columns}, {series.frames} slices  "
            f"{series.description or '(no description)'}{f', {series.part}' if series.part else ''}  {series.uid}"
        )
        lines += [f"       {fact}" for fact in series.facts]
        lines += [f"       not one volume ({problem.kind}): {problem.sentence}" for problem in series.problems]
        facts.append(
            {
                "number": number,
                "uid": series.uid,
                "study_uid": series.study_uid,
                "modality": series.modality,
                "description": series.description,
                "part": series.part,
                "patient": series.patient,
                "instances": len(series.instances),
                "slices": series.frames,
                "rows": series.rows,
                "columns": series.columns,
                "facts": list(series.facts),
                "problems": {problem.kind: problem.sentence for problem in series.problems},
            }
        )
    rejected = [{"file": one.path.name, "reason": one.reason} for one in found.rejected]
    lines += [f"  not read: {one['file']}: {one['reason']}" for one in rejected]
    show("\n".join(lines), {"series": facts, "rejected": rejected}, as_json=args.json)
    return 0
