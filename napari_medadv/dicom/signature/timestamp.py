"""Timestamp: what a time-stamp authority certifies about a signature (PS3.3 C.12.1.1.3; RFC 3161; RFC 5652)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from napari_medadv.dicom.signature.der_reader import (
    GENERALIZED_TIME,
    INTEGER,
    OBJECT,
    OCTETS,
    SEQUENCE,
    SET,
    Der,
    read_der,
)
from napari_medadv.dicom.signature.digests import STRONG, hasher
from napari_medadv.dicom.signature.signer import CORRUPT, genuine, name_of
from napari_medadv.dicom.signature.trust import Anchors, Trust
from napari_medadv.errors import SignatureError

KIND = "CMS_TSP"
_EXPLICIT = 0xA0
_SIGNED_DATA, _TOKEN = bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d0109100104")
_MESSAGE_DIGEST, _CONTENT_TYPE = bytes.fromhex("2a864886f70d010904"), bytes.fromhex("2a864886f70d010903")
_HASHES = {
    bytes.fromhex("608648016503040201"): "SHA256",
    bytes.fromhex("608648016503040202"): "SHA384",
    bytes.fromhex("608648016503040203"): "SHA512",
    bytes.fromhex("2b0e03021a"): "SHA1",
    bytes.fromhex("2a864886f70d0205"): "MD5",
    bytes.fromhex("2b24030201"): "RIPEMD160",
}


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A certified timestamp.

    Attributes
    ----------
    fits
        Whether the authority's signature holds and is about this DICOM signature; False also where it cannot be read.
    time
        When the signature existed, by the authority's clock.
    trust
        What the authority's certificate is worth.
    sentence
        All of it for a person.
    """

    fits: bool
    time: datetime | None
    trust: Trust
    sentence: str


def timestamp(kind: str, token: bytes, signature: bytes, anchors: Anchors, at: datetime | None = None) -> Timestamp:
    """Check a certified timestamp.

    Parameters
    ----------
    kind, token
        Certified Timestamp Type (0400,0305) and Certified Timestamp (0400,0310).
    signature
        What it is about: the value of Signature (0400,0120).
    """
    if kind != KIND:
        return _bad(f"Its certified timestamp is of the type {kind or '(none)'}, and only {KIND} can be checked here.")
    try:
        return _checked(token, signature, anchors, at)
    except SignatureError as error:
        return _bad(f"Its certified timestamp cannot be checked. {error}")
    except CORRUPT:
        return _bad("Its certified timestamp cannot be checked: it is corrupt.")


def _bad(why: str) -> Timestamp:
    return Timestamp(False, None, Trust("unknown", why), why)


def _checked(token: bytes, signature: bytes, anchors: Anchors, at: datetime | None) -> Timestamp:
    content = read_der(token)
    if content.part(0, OBJECT).content != _SIGNED_DATA:
        raise SignatureError("It is no signed CMS message.")
    signed = content.part(1, _EXPLICIT).part(0, SEQUENCE)
    wrapped = signed.part(2, SEQUENCE)
    if wrapped.part(0, OBJECT).content != _TOKEN:
        raise SignatureError("It holds no time-stamp token.")
    info = wrapped.part(1, _EXPLICIT).part(0, OCTETS).content
    signers = [part for part in signed.parts[3:] if part.tag == SET]
    if len(signers) != 1 or len(signers[0].parts) != 1:
        raise SignatureError("It has no signer, or several.")
    certificate, algorithm = _signed_by(signers[0].part(0, SEQUENCE), _certificates(signed), info)
    name = name_of(certificate)
    said = read_der(info)
    imprint, when = said.part(2, SEQUENCE), _time(said.part(4, GENERALIZED_TIME).content.decode())
    own = _named(imprint.part(0, SEQUENCE))
    digest = hasher(own)
    digest.update(signature)
    if imprint.part(1, OCTETS).content != digest.digest():
        return _bad(f"Its certified timestamp of {name} belongs to another signature, or this one was altered.")
    trust = anchors.trust(certificate, at)
    weak = next((each for each in (own, algorithm) if each not in STRONG), "")
    if weak:
        trust = Trust("weak", f"The timestamp rests on {weak}, which is too weak to vouch for anything.")
    sentence = f"By the timestamp of {name} it existed on {when:%Y-%m-%d at %H:%M:%S} UTC. {trust.sentence}"
    return Timestamp(True, when, trust, sentence)


def _certificates(signed: Der) -> list[x509.Certificate]:
    inside = next((part for part in signed.parts[3:] if part.tag == _EXPLICIT), None)
    return (
        [x509.load_der_x509_certificate(part.whole) for part in inside.parts if part.tag == SEQUENCE] if inside else []
    )


def _signed_by(signer: Der, certificates: list[x509.Certificate], info: bytes) -> tuple[x509.Certificate, str]:
    """Who signed `info`, and with which hash.

    Raises
    ------
    SignatureError
        Nobody, somebody who is no time-stamp authority, or the signature does not hold.
    """
    serial = int.from_bytes(signer.part(1, SEQUENCE).part(1, INTEGER).content, "big", signed=True)
    issuer = signer.part(1, SEQUENCE).part(0, SEQUENCE).whole
    found = [c for c in certificates if c.serial_number == serial and c.issuer.public_bytes() == issuer]
    if not found:
        raise SignatureError("The certificate of its authority is not in it: ask for a timestamp with certificates.")
    certificate, algorithm = found[0], _named(signer.part(2, SEQUENCE))
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise SignatureError(f"The certificate of {name_of(certificate)} is not that of a time-stamp authority.")
    held = signer.part(3, _EXPLICIT)
    facts = {part.part(0, OBJECT).content: part.part(1, SET) for part in held.parts}
    digest = hasher(algorithm)
    digest.update(info)
    if (
        not {_MESSAGE_DIGEST, _CONTENT_TYPE} <= facts.keys()
        or facts[_CONTENT_TYPE].part(0, OBJECT).content != _TOKEN
        or facts[_MESSAGE_DIGEST].part(0, OCTETS).content != digest.digest()
    ):
        raise SignatureError("What its authority signed is something else: it is forged.")
    outer = hasher(algorithm)
    outer.update(bytes([SET]) + held.whole[1:])
    if not genuine(certificate, signer.part(5, OCTETS).content, outer.digest(), algorithm):
        raise SignatureError("The signature of its authority does not fit: it is forged.")
    return certificate, algorithm


def _named(identifier: Der) -> str:
    """The hash that an AlgorithmIdentifier names."""
    found = identifier.part(0, OBJECT).content
    if found not in _HASHES:
        raise SignatureError("It rests on a hash that is not known here.")
    return _HASHES[found]


def _time(text: str) -> datetime:
    """A GeneralizedTime of RFC 3161, to the second."""
    return datetime.strptime(text.rstrip("Z").partition(".")[0], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
