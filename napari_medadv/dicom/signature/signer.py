"""Signer: a private key and the certificate that says whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from napari_medadv.dicom.signature.digests import RIPEMD160_INFO
from napari_medadv.errors import SignatureError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SHORTEST_RSA, SHORTEST_CURVE = 2048, 224
HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512(),
    "SHA1": hashes.SHA1(), "MD5": hashes.MD5(),
}  # fmt: skip
CORRUPT = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises on a certificate that it cannot make sense of."""


@dataclass(frozen=True, slots=True, eq=False)
class Signer:
    """Who signs."""

    key: PrivateKey
    certificate: x509.Certificate

    def __post_init__(self) -> None:
        try:
            certified = self.certificate.public_key()
        except CORRUPT as error:
            raise SignatureError(
                "The certificate holds a key of an unknown kind: use RSA or an elliptic curve."
            ) from error
        if _spki(self.key.public_key()) != _spki(certified):
            raise SignatureError("The private key is not that of the certificate: give the two that belong together.")
        why = weakness(self.certificate)
        if why:
            raise SignatureError(f"The certificate's key is too weak to sign with ({why}): make a new one.")

    @property
    def name(self) -> str:
        """The certificate's subject."""
        return name_of(self.certificate)

    @property
    def rsa(self) -> bool:
        """Whether the key is an RSA key; it is an elliptic-curve key otherwise."""
        return isinstance(self.key, rsa.RSAPrivateKey)

    def check_time(self, now: datetime) -> None:
        """Refuse to sign outside the certificate's validity."""
        if not self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc:
            raise SignatureError(
                f"The certificate is valid from {self.certificate.not_valid_before_utc:%Y-%m-%d} to "
                f"{self.certificate.not_valid_after_utc:%Y-%m-%d} only, so nobody would accept the signature: renew it."
            )

    def sign(self, digest: bytes, algorithm: str) -> bytes:
        """RSASSA-PKCS1-v1_5, or ECDSA in DER, over a digest made with `algorithm`."""
        prehashed = Prehashed(HASHES[algorithm])
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(digest, padding.PKCS1v15(), prehashed)
        return self.key.sign(digest, ec.ECDSA(prehashed))


def genuine(certificate: x509.Certificate, signature: bytes, digest: bytes, algorithm: str) -> bool:
    """Whether the owner of `certificate` made `signature` over `digest`.

    Raises
    ------
    SignatureError
        The certificate's key is neither RSA nor elliptic-curve.
    """
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            _verify_rsa(key, signature[: (key.key_size + 7) // 8], digest, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            of_its_length = HASHES["SHA1"] if algorithm == "RIPEMD160" else HASHES[algorithm]
            key.verify(der(signature), digest, ec.ECDSA(Prehashed(of_its_length)))
        else:
            raise SignatureError("The signer's key is neither RSA nor elliptic-curve: check it with another tool.")
    except InvalidSignature:
        return False
    return True


def _verify_rsa(key: rsa.RSAPublicKey, signature: bytes, digest: bytes, algorithm: str) -> None:
    """RSASSA-PKCS1-v1_5; `cryptography` knows no RIPEMD-160, so what such a signature holds is compared here."""
    if algorithm != "RIPEMD160":
        key.verify(signature, digest, padding.PKCS1v15(), Prehashed(HASHES[algorithm]))
    elif key.recover_data_from_signature(signature, padding.PKCS1v15(), None) != RIPEMD160_INFO + digest:
        raise InvalidSignature


def load_signer(key: Path, certificate: Path, password: bytes | None = None) -> Signer:
    """The signer of a PEM or DER private key and certificate.

    Raises
    ------
    SignatureError
        A file cannot be read, the password is wrong, or the two do not belong together.
    """
    try:
        data = key.read_bytes()
        load = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
        private = load(data, password)
    except TypeError as error:
        what = "needs a password" if password is None else "is not encrypted, and a password was given"
        raise SignatureError(f"The private key {key.name} {what}.") from error
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError(
            f"The private key {key.name} cannot be read (no such file, a wrong password, or no PEM or DER key): check it."
        ) from error
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SignatureError(
            f"The private key {key.name} is neither RSA nor elliptic-curve: DICOM signatures need one."
        )
    return Signer(private, load_certificates(certificate)[0])


def load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM file, or the one of a DER file.

    Raises
    ------
    SignatureError
        There is none.
    """
    try:
        data = path.read_bytes()
        if b"-----BEGIN" in data:
            return tuple(x509.load_pem_x509_certificates(data))
        return (x509.load_der_x509_certificate(data),)
    except (OSError, ValueError) as error:
        raise SignatureError(f"{path.name} holds no certificate that can be read: give a PEM or DER file.") from error


def weakness(certificate: x509.Certificate) -> str:
    """Why the certificate's key is too weak, or nothing."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SHORTEST_RSA:
        return f"RSA with {key.key_size} bits, below {SHORTEST_RSA}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < SHORTEST_CURVE:
        return f"a curve of {key.key_size} bits, below {SHORTEST_CURVE}"
    return ""


def name_of(certificate: x509.Certificate) -> str:
    """The subject's common name, or the whole subject where it has none."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def der(data: bytes) -> bytes:
    """A DER object without the padding byte that an even length may have asked for."""
    if len(data) < 2:
        return data
    length, head = data[1], 2
    if length & 0x80:
        head += length & 0x7F
        length = int.from_bytes(data[2:head], "big")
    return data[: head + length]


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def _spki(key: object) -> bytes:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SignatureError("The certificate's key is neither RSA nor elliptic-curve: DICOM signatures need one.")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
