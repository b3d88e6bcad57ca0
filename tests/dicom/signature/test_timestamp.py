"""Certified timestamps: made by OpenSSL's time-stamp authority, put in by dcmsign, checked here; and spoilt ones."""

import json
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from napari_medadv.cli import main
from napari_medadv.dicom.signature import Anchors, verify
from napari_medadv.dicom.signature.signer import Signer
from napari_medadv.dicom.signature.timestamp import timestamp
from tests.dicom.signature.signed_files import Authority, issue, native, pem

SETTINGS = """[tsa]
default_tsa = one
[one]
serial = {folder}/serial
default_policy = 1.2.3.4
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
"""


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], capture_output=True, check=True)


def stamped(folder: Path, authority: Authority, clock: Signer, dcmsign: str) -> bytes:
    """A file that the leaf signed and the clock stamped."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: it is the time-stamp authority of this test")
    key, certificate = pem(authority.leaf, folder, "leaf")
    clock_key, clock_certificate = pem(clock, folder, "clock")
    (folder / "source.dcm").write_bytes(native())
    (folder / "serial").write_text("01")
    (folder / "settings").write_text(SETTINGS.format(folder=folder))
    asked, answer, uid, signed = (folder / name for name in ("asked", "answer", "uid", "signed.dcm"))
    run(dcmsign, "+s", key, certificate, "+pc", "+m2", "+ts", asked, uid, folder / "source.dcm", signed)
    words = ("-signer", clock_certificate, "-inkey", clock_key, "-config", folder / "settings", "-out", answer)
    run("openssl", "ts", "-reply", "-queryfile", asked, *words)
    run(dcmsign, "+t", asked, answer, uid, signed, folder / "stamped.dcm")
    return (folder / "stamped.dcm").read_bytes()


@pytest.fixture(scope="session")
def clock(authority: Authority) -> Signer:
    return issue("Clock", rsa.generate_private_key(65537, 2048), authority.between, stamps=True)


@pytest.fixture
def anchors(authority: Authority) -> Anchors:
    return Anchors((authority.root.certificate,), (authority.between.certificate,))


def test_a_timestamp_is_named_and_checked(
    authority: Authority,
    clock: Signer,
    anchors: Anchors,
    dcmsign: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = verify(stamped(tmp_path, authority, clock, dcmsign), anchors)
    (signature,) = found.signatures
    assert found.passed and signature.timestamp is not None and signature.timestamp.fits
    assert (
        signature.timestamp.trust.state == "trusted" and "By the timestamp of Clock it existed on" in found.sentences[0]
    )
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(
        "".join(pem(each, tmp_path, "ca")[1].read_text() for each in (authority.root, authority.between))
    )
    assert main(["verify", str(tmp_path / "stamped.dcm"), "--ca", str(trusted), "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)["files"][0]["signatures"]
    assert said["timestamp"]["fits"] and said["timestamp"]["trust"] == "trusted"


def test_a_spoilt_timestamp_is_never_a_pass(
    authority: Authority, clock: Signer, anchors: Anchors, dcmsign: str, tmp_path: Path
) -> None:
    data = stamped(tmp_path, authority, clock, dcmsign)
    item = pydicom.dcmread(tmp_path / "stamped.dcm").DigitalSignaturesSequence[0]
    token, signature = item.CertifiedTimestamp, item.Signature
    info = token.index(bytes.fromhex("2a8648 86f70d0109100104")) + 40
    forged = token[:info] + bytes([token[info] ^ 1]) + token[info + 1 :]
    assert "forged" in timestamp("CMS_TSP", forged, signature, anchors).sentence
    assert (
        "another signature"
        in timestamp("CMS_TSP", token, signature[:-1] + bytes([signature[-1] ^ 1]), anchors).sentence
    )
    assert "only CMS_TSP" in timestamp("OTHER", token, signature, anchors).sentence
    for cut in range(0, len(token), 97):
        assert not timestamp("CMS_TSP", token[:cut], signature, anchors).fits
    finding = verify(data.replace(token, forged), anchors)
    assert finding.signatures[0].state == "valid" and not finding.passed and "forged" in " ".join(finding.sentences)


def test_only_a_time_stamp_authority_may_stamp(
    authority: Authority, anchors: Anchors, clock: Signer, dcmsign: str, tmp_path: Path
) -> None:
    data = stamped(tmp_path, authority, clock, dcmsign)
    item = pydicom.dcmread(tmp_path / "stamped.dcm").DigitalSignaturesSequence[0]
    usage = bytes.fromhex("2b06010505070308")
    other = item.CertifiedTimestamp.replace(usage, usage[:-1] + b"\x04")
    assert data.count(usage) == 1
    assert "not that of a time-stamp authority" in timestamp("CMS_TSP", other, item.Signature, anchors).sentence
