"""Trust: whether a certificate leads to one that the person trusts, today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from napari_medadv.dicom.signature.signer import load_certificates, name_of, now, weakness

TrustState = Literal["trusted", "unchecked", "unknown", "expired", "broken", "weak"]


@dataclass(frozen=True, slots=True)
class Trust:
    """What the certificate of a signer is worth, and why in a sentence."""

    state: TrustState
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """The certificates that a person trusts, and the ones that may lead there.

    Attributes
    ----------
    roots
        Self-signed certificates: trusted as they are.
    between
        Certificates of intermediate authorities: worth what their issuer is worth.
    """

    roots: tuple[x509.Certificate, ...] = ()
    between: tuple[x509.Certificate, ...] = ()

    def trust(self, certificate: x509.Certificate, at: datetime | None = None) -> Trust:
        """What `certificate` is worth at a time (now by default)."""
        moment = at or now()
        name = name_of(certificate)
        weak = weakness(certificate)
        if weak:
            return Trust("weak", f"The key of {name} is too weak to vouch for anything ({weak}).")
        expired = _outside(certificate, moment)
        if expired:
            return Trust("expired", f"The certificate of {name} {expired}.")
        if not self.roots and self.between:
            return Trust(
                "unknown",
                f"None of the certificates given as trusted is self-signed, so nothing leads from {name} to one: add that of the root "
                "authority.",
            )
        if not self.roots:
            return Trust("unchecked", f"Nobody said whether {name} is to be trusted: give a CA file.")
        if certificate in self.roots:
            return Trust("trusted", f"{name} is among the trusted certificates.")
        if not _may_sign(certificate):
            return Trust("broken", f"The certificate of {name} is not meant for signatures (its key usage).")
        return self._chain(certificate, name, moment)

    def _chain(self, certificate: x509.Certificate, name: str, moment: datetime) -> Trust:
        try:
            verifier = (
                PolicyBuilder()
                .store(Store(list(self.roots)))
                .time(moment)
                .extension_policies(ca_policy=_authorities(), ee_policy=ExtensionPolicy.permit_all())
                .build_client_verifier()
            )
            chain = verifier.verify(certificate, list(self.between)).chain
        except (VerificationError, ValueError) as error:
            return self._refused(certificate, name, moment, error)
        return Trust("trusted", f"{name} was vouched for by {name_of(chain[-1])}.")

    def _refused(self, certificate: x509.Certificate, name: str, moment: datetime, error: Exception) -> Trust:
        issuer = certificate.issuer
        links: list[x509.Certificate] = []
        while len(links) <= len(self.between) + len(self.roots):
            link = next((c for c in (*self.roots, *self.between) if c.subject == issuer and c not in links), None)
            if link is None:
                break
            links.append(link)
            issuer = link.issuer
        for link in links:
            expired = _outside(link, moment)
            if expired:
                return Trust("expired", f"The certificate of {name_of(link)}, which vouches for {name}, {expired}.")
        if not any(link in self.roots for link in links):
            return Trust("unknown", f"{name} is unknown: no certificate of the CA file leads to it.")
        for link in (certificate, *links):
            if link.version is not x509.Version.v3:
                return Trust(
                    "broken",
                    f"The certificate of {name_of(link)} is of X.509 version 1, which does not say what it is meant for: have one of "
                    "version 3 issued.",
                )
        why = str(error).strip().partition("\n")[0].partition(" (encountered processing")[0]
        return Trust("broken", f"The chain from {name} to {name_of(links[-1])} is broken ({why or 'refused'}).")


NO_ANCHORS = Anchors()
"""Nobody is trusted."""


def load_anchors(*paths: Path) -> Anchors:
    """The trusted certificates of CA files: the self-signed ones are roots, the others only lead to them.

    Raises
    ------
    SignatureError
        A file holds no certificate.
    """
    found = [certificate for path in paths for certificate in load_certificates(path)]
    roots = tuple(c for c in found if c.subject == c.issuer)
    return Anchors(roots, tuple(c for c in found if c.subject != c.issuer))


def _authorities() -> ExtensionPolicy:
    """What an authority's certificate must say: that it is one. A key usage, which `openssl req -x509` leaves out, may be missing."""
    return ExtensionPolicy.webpki_defaults_ca().may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_certify)


def _may_certify(_: object, __: object, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("its key usage does not let it sign certificates")


def _outside(certificate: x509.Certificate, moment: datetime) -> str:
    if moment > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if moment < certificate.not_valid_before_utc:
        return f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    return ""


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    return usage.digital_signature or usage.content_commitment
