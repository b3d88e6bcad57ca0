"""Record what files hold in a small ledger, so that later changes can be found and located."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medadv.cli.console import show, watched

RESUMES = True


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH, --ledger, --key, --certificate, --password-file, --files-only, --threads and --json."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a DICOM file, or a folder of them at any depth")
    parser.add_argument(
        "--ledger", metavar="FILE", type=Path, required=True, help="written, or appended to where it is there"
    )
    parser.add_argument(
        "--key", metavar="FILE", type=Path, help="Ed25519 private key, or that of --certificate; unsigned without"
    )
    parser.add_argument(
        "--certificate", metavar="FILE", type=Path, help="X.509 certificate of an RSA or elliptic-curve key"
    )
    parser.add_argument("--password-file", metavar="FILE", type=Path, help="holds the key's password")
    parser.add_argument(
        "--files-only", action="store_true", help="hash files only: faster, but any transcoding is an alarm"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="default: as many as there are cores")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Record."""
    from napari_medadv.cli.sign import password
    from napari_medadv.dicom.baseline import load_key, record

    key = load_key(args.key, args.certificate, password(args.password_file)) if args.key is not None else None
    with watched() as progress:
        found = record(
            args.path,
            args.ledger,
            key,
            depth="files" if args.files_only else "values",
            threads=args.threads,
            processes=True,
            progress=progress,
        )
    root = found.ledger.root
    facts = {
        "added": found.added,
        "known": found.known,
        "resumed": found.resumed,
        "left_out": list(found.left_out),
        "root": root,
        "signed": bool(found.ledger.heads),
    }
    words = [
        f"{found.added} instances recorded, {found.known} were there already.",
        f"Root: {root} (keep it elsewhere to notice an older copy).",
    ]
    if not found.ledger.heads:
        words.append("The ledger is not signed: anybody could replace it; give --key.")
    words += [f"Left out: {sentence}" for sentence in found.left_out]
    show("\n".join(words), facts, as_json=args.json)
    return 0
