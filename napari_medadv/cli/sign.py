"""Add a DICOM digital signature to copies of files."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_medadv.cli.console import show, watched


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH, --key, --certificate, --out, --profile, --hash, --password-file and --json."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a DICOM file, or a folder of one series")
    parser.add_argument(
        "--key", metavar="FILE", type=Path, required=True, help="private key, RSA or elliptic-curve, PEM or DER"
    )
    parser.add_argument(
        "--certificate", metavar="FILE", type=Path, required=True, help="its X.509 certificate, PEM or DER"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder for the signed copies")
    parser.add_argument(
        "--profile", choices=("creator", "base", "none"), default="creator", help="of PS3.15; elliptic curves take none"
    )
    parser.add_argument("--hash", choices=("SHA256", "SHA384", "SHA512"), default="SHA256")
    parser.add_argument("--password-file", metavar="FILE", type=Path, help="holds the key's password")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def password(path: Path | None) -> bytes | None:
    """The first line of a password file.

    Raises
    ------
    SignatureError
        It cannot be read.
    """
    from napari_medadv.errors import SignatureError

    if path is None:
        return None
    try:
        return path.read_bytes().split(b"\n")[0].rstrip(b"\r")
    except OSError as error:
        raise SignatureError(f"The password file {path.name} cannot be read ({error.strerror}).") from error


def run(args: argparse.Namespace) -> int:
    """Sign."""
    from napari_medadv.dicom.baseline.record import scanned
    from napari_medadv.dicom.signature import PROFILES, load_signer, sign_files
    from napari_medadv.errors import OutputError

    signer = load_signer(args.key, args.certificate, password(args.password_file))
    source = args.path.resolve()
    if args.out.resolve() == source or source in args.out.resolve().parents:
        raise OutputError(f"{args.out.name} lies inside the source: name a folder elsewhere.")
    paths = scanned(args.path)
    with watched() as progress:
        written = sign_files(
            paths, signer, args.out, profile=PROFILES[args.profile], algorithm=args.hash, progress=progress
        )
    facts = {"signed": len(written), "signer": signer.name, "profile": args.profile, "hash": args.hash}
    show(
        f"{len(written)} files signed by {signer.name} ({args.profile} profile, {args.hash}).", facts, as_json=args.json
    )
    return 0
