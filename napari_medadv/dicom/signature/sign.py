"""sign(): a DICOM file with a signature added; every other byte stays what it was."""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
import uuid
import zlib
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization

from napari_medadv.dicom.signature.canonical import canonical, item, padded, put
from napari_medadv.dicom.signature.elements import elements
from napari_medadv.dicom.signature.part10 import Part10, part10
from napari_medadv.dicom.signature.profile import CREATOR, Algorithm, Profile
from napari_medadv.dicom.signature.signer import HASHES, Signer, now
from napari_medadv.dicom.signature.stream import MAC_PARAMETERS, SIGNATURES, message, signable
from napari_medadv.errors import OutputError, SignatureError
from napari_medadv.progress import Progress, silent

MAC_ID = 0x04000005


def sign(
    data: bytes,
    signer: Signer,
    *,
    profile: Profile = CREATOR,
    algorithm: Algorithm = "SHA256",
    tags: Collection[int] | None = None,
    when: datetime | None = None,
) -> bytes:
    """The file `data` with one more signature, over everything that a signature may cover or over `tags`.

    Where the file is implicit VR or big endian, it becomes explicit VR little endian.

    Raises
    ------
    SignatureError
        The file cannot be signed, or not under this profile.
    """
    if profile.rsa_only and not signer.rsa:
        raise SignatureError(
            f"The {profile.name} profile of DICOM takes RSA keys only, and {signer.name} has another: sign with the profile none."
        )
    moment = when or now()
    signer.check_time(moment)
    file = canonical(part10(data))
    covered = [m.tag for m in file.members if signable(m) and (tags is None or m.tag in tags)]
    missing = profile.missing(covered, file.members)
    if missing or not covered:
        named = ", ".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in missing) or "at least one element"
        raise SignatureError(
            f"The {profile.name} profile must cover {named}: name these tags too, or choose another profile."
        )
    number = _next_number(file)
    parameters = item(
        put(MAC_ID, b"US", struct.pack("<H", number)),
        put(0x04000010, b"UI", padded(b"UI", file.syntax.encode())),
        put(0x04000015, b"CS", padded(b"CS", algorithm.encode())),
        put(0x04000020, b"AT", b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in covered)),
    )
    own = b"".join(
        (
            put(MAC_ID, b"US", struct.pack("<H", number)),
            put(0x04000100, b"UI", padded(b"UI", f"2.25.{uuid.uuid4().int}".encode())),
            put(0x04000105, b"DT", padded(b"DT", f"{moment.astimezone():%Y%m%d%H%M%S.%f%z}".encode())),
            put(0x04000110, b"CS", b"X509_1993_SIG "),
        )
    )
    digest = hashes.Hash(HASHES[algorithm])
    for piece in message(file.body, file.members, covered, elements(own), own):
        digest.update(piece)
    signature = item(
        own,
        put(0x04000115, b"OB", padded(b"OB", signer.certificate.public_bytes(serialization.Encoding.DER))),
        put(0x04000120, b"OB", padded(b"OB", signer.sign(digest.finalize(), algorithm))),
    )
    return file.head + _inserted(file, {MAC_PARAMETERS: parameters, SIGNATURES: signature})


def sign_files(
    paths: Sequence[Path],
    signer: Signer,
    out: Path,
    *,
    profile: Profile = CREATOR,
    algorithm: Algorithm = "SHA256",
    progress: Progress = silent,
) -> tuple[Path, ...]:
    """Signed copies of `paths` under their names in a new folder `out`, which appears only when all are written.

    Raises
    ------
    SignatureError
        A file cannot be signed.
    OutputError
        `out` holds something already, or two files have one name.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"The output folder {out.name} is not empty: name a new one.")
    names = [path.name for path in paths]
    if not paths or len(set(names)) != len(names):
        raise OutputError("Two files to be signed share one name, or there is none: sign one series at a time.")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))

    def one(path: Path) -> None:
        try:
            (aside / path.name).write_bytes(sign(path.read_bytes(), signer, profile=profile, algorithm=algorithm))
        except SignatureError as error:
            raise SignatureError(f"{path.name}: {error}") from error
        except OSError as error:
            raise OutputError(
                f"{path.name} cannot be read or its signed copy not written ({error.strerror})."
            ) from error

    try:
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            for done, _ in enumerate(pool.map(one, paths)):
                progress((done + 1) / len(paths), "signing")
        if out.exists():
            out.rmdir()
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return tuple(out / name for name in names)


def unsigned(data: bytes) -> bytes:
    """The file without any signature of its main data set."""
    file = part10(data)
    kept = [file.body[m.start : m.end] for m in file.members if m.tag not in (MAC_PARAMETERS, SIGNATURES)]
    return file.head + _deflated(file, b"".join(kept))


def _next_number(file: Part10) -> int:
    used = [
        int.from_bytes(file.bytes_of(MAC_ID, members), "little")
        for tag in (MAC_PARAMETERS, SIGNATURES)
        for members in file.items(tag)
    ]
    number = max(used, default=-1) + 1
    if number > 0xFFFF:
        raise SignatureError("The file has no MAC ID number left for one more signature: remove an old one.")
    return number


def _inserted(file: Part10, added: dict[int, bytes]) -> bytes:
    """The body with an item appended to each named sequence, which is made where it is absent."""
    pieces: list[bytes | memoryview] = []
    whole = memoryview(file.body)
    left = dict(added)
    run = 0
    for element in file.members:
        for tag in [tag for tag in left if tag <= element.tag]:
            pieces.append(whole[run : element.start])
            run = element.start
            old = b""
            if tag == element.tag:
                old, run = file.body[element.value : element.stop], element.end
            pieces.append(put(tag, b"SQ", old + left.pop(tag)))
    pieces.append(whole[run:])
    pieces += [put(tag, b"SQ", new) for tag, new in left.items()]
    return _deflated(file, b"".join(pieces))


def _deflated(file: Part10, body: bytes) -> bytes:
    if file.syntax != "1.2.840.10008.1.2.1.99":
        return body
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = engine.compress(body) + engine.flush()
    return packed + b"\0" * (len(packed) % 2)
