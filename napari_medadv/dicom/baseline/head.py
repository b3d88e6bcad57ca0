"""Head: who vouches for a ledger up to which line: a detached signature, Ed25519 or X.509."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from napari_medadv.dicom.baseline.merkle import root
from napari_medadv.dicom.signature.signer import CORRUPT, Signer, genuine, load_signer
from napari_medadv.dicom.signature.trust import Anchors, Trust
from napari_medadv.errors import LedgerError, SignatureError

Key = Ed25519PrivateKey | Signer


@dataclass(frozen=True, slots=True)
class Head:
    """A signed statement: the first `size` lines of the ledger have this root.

    Attributes
    ----------
    size, root, time
        How many lines, their Merkle root, when it was signed (the signer's word).
    signer
        The certificate (PEM), or the raw Ed25519 public key (base64).
    signature
        Base64.
    """

    size: int
    root: str
    time: str
    signer: str
    signature: str

    def message(self) -> bytes:
        """What is signed."""
        return f"medadv ledger head\n{self.size}\n{self.root}\n{self.time}\n".encode()

    def made_by(self, key: Key) -> bool:
        """Whether the owner of this very key signed it."""
        try:
            signature = b64decode(self.signature, validate=True)
            if isinstance(key, Signer):
                return genuine(key.certificate, signature, sha256(self.message()).digest(), "SHA256")
            key.public_key().verify(signature, self.message())
        except (ValueError, SignatureError, InvalidSignature):
            return False
        return True

    def trust(self, anchors: Anchors, keys: Sequence[Ed25519PublicKey], at: datetime | None = None) -> Trust:
        """Whether somebody trusted signed this head."""
        try:
            signature = b64decode(self.signature, validate=True)
            if self.signer.startswith("-----BEGIN"):
                certificate = x509.load_pem_x509_certificate(self.signer.encode())
                if not genuine(certificate, signature, sha256(self.message()).digest(), "SHA256"):
                    return Trust("broken", "The signature of the ledger is forged: it does not fit.")
                return anchors.trust(certificate, at)
            public = Ed25519PublicKey.from_public_bytes(b64decode(self.signer, validate=True))
            public.verify(signature, self.message())
        except InvalidSignature:
            return Trust("broken", "The signature of the ledger is forged: it does not fit.")
        except (*CORRUPT, SignatureError):
            return Trust("broken", "The signature of the ledger cannot be read: it is corrupt.")
        raw = public.public_bytes_raw()
        name = f"the Ed25519 key {sha256(raw).hexdigest()[:16]}"
        if not keys:
            return Trust(
                "unchecked", f"The ledger is signed by {name}, and no key was given to compare: give the public key."
            )
        if any(key.public_bytes_raw() == raw for key in keys):
            return Trust("trusted", f"The ledger is signed by {name}, which is trusted.")
        return Trust("unknown", f"The ledger is signed by {name}, which is not among the trusted keys.")


def sign_head(lines: Sequence[bytes], key: Key) -> Head:
    """A head over all `lines`."""
    moment = datetime.now(UTC)
    if isinstance(key, Signer):
        key.check_time(moment)
        signer = key.certificate.public_bytes(serialization.Encoding.PEM).decode()
    else:
        signer = b64encode(key.public_key().public_bytes_raw()).decode()
    blank = Head(len(lines), root(lines), moment.isoformat(timespec="seconds"), signer, "")
    if isinstance(key, Signer):
        signature = key.sign(sha256(blank.message()).digest(), "SHA256")
    else:
        signature = key.sign(blank.message())
    return Head(blank.size, blank.root, blank.time, blank.signer, b64encode(signature).decode())


def parse_head(found: dict[str, Any]) -> Head:
    """A head read from JSON.

    Raises
    ------
    LedgerError
        It is none.
    """
    try:
        head = Head(**found)
    except TypeError as error:
        raise LedgerError("The ledger's signature file is corrupt: get a good copy.") from error
    kinds = (int, str, str, str, str)
    values = (head.size, head.root, head.time, head.signer, head.signature)
    if not all(type(value) is kind for value, kind in zip(values, kinds, strict=True)) or head.size < 1:
        raise LedgerError("The ledger's signature file is corrupt: get a good copy.")
    return head


def load_key(key: Path, certificate: Path | None = None, password: bytes | None = None) -> Key:
    """An Ed25519 private key, or, with a certificate, an RSA or elliptic-curve one.

    Raises
    ------
    SignatureError
        A file cannot be read, or is another kind of key.
    """
    if certificate is not None:
        return load_signer(key, certificate, password)
    try:
        found = serialization.load_pem_private_key(key.read_bytes(), password)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SignatureError(f"The private key {key.name} cannot be read: give a PEM file and its password.") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise SignatureError(
            f"The private key {key.name} is no Ed25519 key: give its certificate too, or an Ed25519 key."
        )
    return found


def load_public(path: Path) -> Ed25519PublicKey:
    """An Ed25519 public key.

    Raises
    ------
    SignatureError
        The file holds none.
    """
    try:
        found = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError(f"{path.name} holds no public key that can be read: give a PEM file.") from error
    if not isinstance(found, Ed25519PublicKey):
        raise SignatureError(f"{path.name} is no Ed25519 public key: for a certificate name a CA file instead.")
    return found
