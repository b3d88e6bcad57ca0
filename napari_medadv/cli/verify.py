"""Check DICOM signatures, or, with --baseline, compare files with a ledger; exit code 3 where it is no pass."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medadv.cli.console import show, watched
from napari_medadv.errors import LedgerError

if TYPE_CHECKING:
    from napari_medadv.dicom.signature.timestamp import Timestamp

NO_PASS = 3


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH, --ca, --baseline, --public-key, --root, --complete and --json."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a DICOM file, or a folder of them at any depth")
    parser.add_argument(
        "--ca",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="trusted certificates (PEM); may be repeated",
    )
    parser.add_argument("--baseline", metavar="LEDGER", type=Path, help="what `medadv baseline` wrote")
    parser.add_argument(
        "--public-key",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a trusted Ed25519 key of the ledger",
    )
    parser.add_argument("--root", default="", metavar="HEX", help="the ledger's root, where you kept it elsewhere")
    parser.add_argument("--complete", action="store_true", help="every series of the ledger must be there")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Verify."""
    if args.baseline is not None:
        return _baseline(args)
    alone = {"--public-key": args.public_key, "--root": args.root, "--complete": args.complete}
    for option, given in alone.items():
        if given:
            raise LedgerError(f"{option} says something of a ledger, and none was named: give --baseline LEDGER, too.")
    return _signatures(args)


def _signatures(args: argparse.Namespace) -> int:
    from napari_medadv.dicom.baseline.record import scanned
    from napari_medadv.dicom.signature import load_anchors, verify_files

    anchors = load_anchors(*args.ca)
    with watched() as progress:
        found = verify_files(scanned(args.path), anchors, progress=progress)
    files = [
        {
            "file": each.name,
            "sop_uid": each.sop_uid,
            "badge": each.badge,
            "uncovered": [f"{tag:08X}" for tag in each.bare],
            "signatures": [
                {"signer": s.signer, "state": s.state, "trust": s.trust.state, "time": s.signed_at, "hash": s.algorithm}
                | ({"timestamp": _stamped(s.timestamp)} if s.timestamp is not None else {})
                for s in each.signatures
            ],
            "sentences": list(each.sentences),
        }
        for each in found.instances
    ]
    facts = {"passed": found.passed, "badge": found.badge, "sentences": list(found.sentences), "files": files}
    show("\n".join([found.badge.capitalize() + ".", *found.sentences]), facts, as_json=args.json)
    return 0 if found.passed else NO_PASS


def _stamped(found: Timestamp) -> dict[str, object]:
    time = None if found.time is None else found.time.isoformat()
    return {"fits": found.fits, "time": time, "trust": found.trust.state}


def _baseline(args: argparse.Namespace) -> int:
    from napari_medadv.dicom.baseline import compare, load_public
    from napari_medadv.dicom.signature import load_anchors

    keys = [load_public(path) for path in args.public_key]
    with watched() as progress:
        found = compare(
            args.path,
            args.baseline,
            load_anchors(*args.ca),
            keys,
            complete=args.complete,
            expected_root=args.root,
            progress=progress,
        )
    changes = [
        {
            "kind": change.kind,
            "file": change.name,
            "sop_uid": change.sop,
            "number": change.number,
            "blocks": [{"frame": p.frame, "rows": list(p.rows), "columns": list(p.columns)} for p in change.places],
            "header": list(change.parts),
            "sentence": change.sentence,
        }
        for change in found.changes
    ]
    facts = {"passed": found.passed, "unchanged": found.unchanged, "ledger": found.trust.state, "changes": changes}
    show("\n".join(["As recorded." if found.passed else "Not a pass.", *found.sentences]), facts, as_json=args.json)
    return 0 if found.passed else NO_PASS
