"""Certificates that lead nowhere: one sentence each, without the words of a library."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from napari_medadv.dicom.signature.trust import Anchors
from tests.dicom.signature.signed_files import Authority, issue

# made by `openssl req -x509` and `openssl x509 -req`, whose certificates are of version 1 by default; valid until 2126
CA = b"""-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUNe3sTX/wVEXmEwndHDAWYgu0GawwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGT2xkIENBMCAXDTI2MTEyMjIxNDI0NFoYDzIxMjYxMDI5MjE0
MjQ0WjARMQ8wDQYDVQQDDAZPbGQgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATdm8r08xfzCSpzhtiiu2TOs7sEcGaH9UpNmveBBCAewL1TS6GjChVm6XIoULeM
8nXcrcsJ3pc4rWIm1apsflNVo1MwUTAdBgNVHQ4EFgQUutlOhS/eTki+OwWUXVuB
URLuWXYwHwYDVR0jBBgwFoAUutlOhS/eTki+OwWUXVuBURLuWXYwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAkcyF0wH0D9LtIxxwfnUT3lbtRbed
ZTCfBKdWuFqnTcsCIH2D6RK9aw+kb1FRnahIKRaNQuJTxT3lq6wbVwsgV/QH
-----END CERTIFICATE-----
"""
SCANNER = b"""-----BEGIN CERTIFICATE-----
MIIBETCBtwIBAjAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZPbGQgQ0EwIBcNMjYx
MTIyMjE0MjQ0WhgPMjEyNjEwMjkyMTQyNDRaMBYxFDASBgNVBAMMC09sZCBzY2Fu
bmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJHmvptcTlYQ133aLKpEk0c8u
ZuEy8UPPB0SDMiNyWcsGNsGUduQnNLZWLa5EC41YZBu0lnVdn3cKZqwzlm/onzAK
BggqhkjOPQQDAgNJADBGAiEAxtdwzpFwtmKaAcWreddl9zmh7XeMHhmGucQ3GoKb
W3sCIQD+aZW8jXvc0rlqpH2iOiHmhpQQi/amzSzGnkJD5ua5ow==
-----END CERTIFICATE-----
"""


def test_a_certificate_of_version_1_is_named() -> None:
    authority, scanner = (x509.load_pem_x509_certificate(each) for each in (CA, SCANNER))
    found = Anchors((authority,)).trust(scanner)
    assert found.state == "broken" and "version 1" in found.sentence and "version 3" in found.sentence
    assert "Old scanner" in found.sentence


def test_a_broken_chain_shows_no_certificate_object(authority: Authority) -> None:
    forged = issue("Forged", rsa.generate_private_key(65537, 2048), authority.leaf)
    anchors = Anchors((authority.root.certificate,), (authority.between.certificate, authority.leaf.certificate))
    found = anchors.trust(forged.certificate)
    assert found.state == "broken" and "<Certificate" not in found.sentence and found.sentence.endswith(").")
