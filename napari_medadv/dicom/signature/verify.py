"""verify(): who vouches for a DICOM file, for which of its elements, and what is not vouched for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from cryptography import x509
from pydicom.uid import UID

from napari_medadv.dicom.signature.digests import STRONG, hasher
from napari_medadv.dicom.signature.elements import PIXEL_DATA, Element
from napari_medadv.dicom.signature.finding import InstanceFinding, SeriesFinding, SignatureFinding, State, named
from napari_medadv.dicom.signature.part10 import Part10, part10
from napari_medadv.dicom.signature.profile import PROFILES
from napari_medadv.dicom.signature.signer import CORRUPT, der, genuine, name_of
from napari_medadv.dicom.signature.stream import MAC_PARAMETERS, SIGNATURES, has_pixels, message, nameable
from napari_medadv.dicom.signature.timestamp import Timestamp, timestamp
from napari_medadv.dicom.signature.trust import NO_ANCHORS, Anchors, Trust
from napari_medadv.errors import MedAdvError, SignatureError
from napari_medadv.progress import Progress, silent

_EXPLICIT, _DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
_NOBODY = Trust("unknown", "Nobody can be named.")


def verify(
    data: bytes, anchors: Anchors = NO_ANCHORS, *, name: str = "", at: datetime | None = None
) -> InstanceFinding:
    """Check every signature of a DICOM file, those inside sequence items included.

    Parameters
    ----------
    data
        The file.
    anchors
        Whose certificates the person trusts; without any, no signature is a pass.
    name
        What to call the file in a sentence.
    at
        The time for which certificates are judged: now by default. A signature's own time is only its signer's word.
    """
    try:
        file = part10(data)
    except SignatureError as error:
        return InstanceFinding(name, "", (), (), (str(error),))
    found = [_one(file, place, members, item, anchors, at) for place, members, item in _signatures(file)]
    vouched: set[int] = set()
    for signature in found:
        if signature.passed and not signature.place:
            vouched |= set(signature.covered)
    bare = tuple(m.tag for m in file.members if nameable(m.tag) and m.tag not in vouched)
    return InstanceFinding(name, file.text(0x00080018), tuple(found), bare, _problems(file, found))


def verify_files(
    paths: Sequence[Path],
    anchors: Anchors = NO_ANCHORS,
    *,
    at: datetime | None = None,
    progress: Progress = silent,
) -> SeriesFinding:
    """Check the signatures of every file of one series."""

    def one(path: Path) -> InstanceFinding:
        try:
            return verify(path.read_bytes(), anchors, name=path.name, at=at)
        except OSError as error:
            return InstanceFinding(path.name, "", (), (), (f"The file cannot be read ({error.strerror}).",))

    found = []
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for done, finding in enumerate(pool.map(one, paths)):
            found.append(finding)
            progress((done + 1) / len(paths), "checking signatures")
    return SeriesFinding(tuple(found))


def _signatures(file: Part10) -> Iterator[tuple[str, tuple[Element, ...], tuple[Element, ...]]]:
    """Every signature: where it stands ("" for the main data set), the elements beside it, its own elements."""

    def level(
        place: str, members: tuple[Element, ...]
    ) -> Iterator[tuple[str, tuple[Element, ...], tuple[Element, ...]]]:
        for element in members:
            if element.tag == SIGNATURES:
                yield from ((place, members, item) for item in element.items)
            elif element.tag != MAC_PARAMETERS:
                for number, item in enumerate(element.items):
                    yield from level(f"{place}{named(element.tag)} item {number + 1} ", item)

    yield from level("", file.members)


def _problems(file: Part10, found: list[SignatureFinding]) -> tuple[str, ...]:
    used = {file.bytes_of(0x04000005, item) for item in file.items(SIGNATURES)}
    orphans = sum(file.bytes_of(0x04000005, item) not in used for item in file.items(MAC_PARAMETERS))
    stripped = (f"MAC parameters of {orphans} more signatures are there: they were stripped.",) if orphans else ()
    if not any(not signature.place for signature in found):
        return stripped or ("No signature: never signed, or stripped.",)
    return stripped


def _one(
    file: Part10,
    place: str,
    members: tuple[Element, ...],
    item: tuple[Element, ...],
    anchors: Anchors,
    at: datetime | None,
) -> SignatureFinding:
    """Judge one signature; whatever cannot be judged is unreadable, never valid."""
    uid, when = file.text(0x04000100, item), file.text(0x04000105, item)
    covered: tuple[int, ...] = ()
    signer, algorithm, trust = "", "", _NOBODY
    present = tuple(m.tag for m in members if nameable(m.tag))
    profiles: tuple[str, ...] = ()
    state: State = "unreadable"
    why = ""
    stamp: Timestamp | None = None
    try:
        number = file.bytes_of(0x04000005, item)
        parameters = _parameters(file, members, number)
        algorithm = file.text(0x04000015, parameters)
        named_tags = file.bytes_of(0x04000020, parameters)
        covered = tuple(
            int.from_bytes(named_tags[i : i + 2], "little") << 16 | int.from_bytes(named_tags[i + 2 : i + 4], "little")
            for i in range(0, len(named_tags), 4)
        )
        certificate = x509.load_der_x509_certificate(der(file.bytes_of(0x04000115, item)))
        signer, trust = name_of(certificate), anchors.trust(certificate, at)
        _refuse(file, members, covered, algorithm, file.text(0x04000010, parameters))
        digest = hasher(algorithm)
        for piece in message(file.body, members, covered, item, file.body):
            digest.update(piece)
        signature = file.bytes_of(0x04000120, item)
        valid = genuine(certificate, signature, digest.digest(), algorithm)
        state = "valid" if valid else "corrupted"
        if valid and algorithm not in STRONG:
            trust = Trust("weak", f"The signature rests on {algorithm}, which is too weak to vouch for anything.")
        if any(element.tag in (0x04000305, 0x04000310) for element in item):
            kind, token = file.text(0x04000305, item), file.bytes_of(0x04000310, item)
            stamp = timestamp(kind, token, signature, anchors, at)
        rsa = "RSA" in type(certificate.public_key()).__name__
        profiles = tuple(
            p.name for p in PROFILES.values() if (rsa or not p.rsa_only) and not p.missing(covered, members)
        )
    except MedAdvError as error:
        why = str(error)
    except CORRUPT:
        why = "The certificate of the signer cannot be read."
    gone = tuple(tag for tag in covered if tag not in present)
    return SignatureFinding(
        uid,
        place.strip(),
        state,
        why,
        signer,
        when,
        algorithm,
        trust,
        covered,
        tuple(tag for tag in present if tag not in covered),
        gone,
        profiles,
        has_pixels(covered) or PIXEL_DATA not in present,
        stamp,
    )


def _parameters(file: Part10, members: tuple[Element, ...], number: bytes) -> tuple[Element, ...]:
    sequence = next((m for m in members if m.tag == MAC_PARAMETERS), None)
    matching = [item for item in sequence.items if file.bytes_of(0x04000005, item) == number] if sequence else []
    if len(matching) != 1 or len(number) != 2:
        raise SignatureError("The MAC parameters of this signature are missing or ambiguous: it cannot be checked.")
    return matching[0]


def _refuse(file: Part10, members: tuple[Element, ...], covered: tuple[int, ...], algorithm: str, syntax: str) -> None:
    """Everything that makes a signature impossible to check here."""
    hasher(algorithm)
    if any(not nameable(tag) for tag in covered) or len(set(covered)) != len(covered) or not covered:
        raise SignatureError("The list of signed elements names what no signature may cover, or nothing: it is forged.")
    native = (_EXPLICIT, _DEFLATED)
    if syntax == file.syntax or (syntax in native and file.syntax in native):
        return
    if any(m.tag in covered and (m.fragments is not None or m.tag == PIXEL_DATA) for m in members):
        raise SignatureError(
            f"It was made over {UID(syntax).name} and the file is now {UID(file.syntax).name}: the file was transcoded, "
            "which no DICOM signature survives; compare it with a baseline ledger."
        )
