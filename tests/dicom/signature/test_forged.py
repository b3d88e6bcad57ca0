"""Files that readers understand in different ways are never vouched for, and neither is a series of which only a part was looked at."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ImplicitVRLittleEndian

from napari_medadv.dicom import scan
from napari_medadv.dicom.baseline.record import dicom_files, scanned
from napari_medadv.dicom.signature import Anchors, load_anchors, sign, sign_files, verify, verify_files
from napari_medadv.dicom.signature.part10 import part10
from napari_medadv.dicom.signature.signer import Signer
from napari_medadv.errors import MedAdvError, SignatureError
from tests.dicom.baseline.series_files import series
from tests.dicom.signature.signed_files import TODAY, Authority, ct, issue, native, pem, written


def trusted(authority: Authority) -> Anchors:
    return Anchors((authority.root.certificate,), (authority.between.certificate,))


def implicit(data: bytes) -> bytes:
    found = pydicom.dcmread(io.BytesIO(data))
    found.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    made = io.BytesIO()
    pydicom.dcmwrite(made, found, implicit_vr=True, little_endian=True, enforce_file_format=False)
    return made.getvalue()


def element(tag: int, value: bytes) -> bytes:
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


@pytest.mark.parametrize(
    ("tag", "value"), [(0x7FE00010, bytes(2048)), (0x00281052, b"0 "), (0x00100010, b"Forged^John ")]
)
@pytest.mark.parametrize("first", [True, False])
def test_an_element_that_is_there_twice_is_never_vouched_for(
    tag: int, value: bytes, first: bool, authority: Authority
) -> None:
    plain = ct()
    plain.remove_private_tags()  # whose VR an implicit file does not keep
    data = implicit(sign(written(plain), authority.leaf))
    assert verify(data, trusted(authority)).passed
    at = data.rindex(struct.pack("<HH", tag >> 16, tag & 0xFFFF))
    if not first:
        at += 8 + struct.unpack_from("<L", data, at + 4)[0]
    found = verify(data[:at] + element(tag, value) + data[at:], trusted(authority))
    assert not found.passed and "repeated or out of order" in " ".join(found.sentences)


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_nor_one_that_is_twice_in_an_item(syntax: UID, undefined: bool) -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "AAAA", "99"
    found = ct()
    found.preamble = bytes(128)
    found.ProcedureCodeSequence = [item]
    found.file_meta.TransferSyntaxUID = syntax
    found["ProcedureCodeSequence"].is_undefined_length = undefined
    item.is_undefined_length_sequence_item = undefined
    made, little = io.BytesIO(), syntax == ImplicitVRLittleEndian
    pydicom.dcmwrite(made, found, implicit_vr=little, little_endian=little, enforce_file_format=False)
    data, order = made.getvalue(), "<" if little else ">"
    part10(data)
    at = data.index(struct.pack(order + "HH", 8, 0x102), data.index(b"AAAA"))
    with pytest.raises(SignatureError, match="repeated"):
        part10(data[:at] + struct.pack(order + "HH", 8, 0x100) + data[at + 4 :])


def test_one_of_two_signatures_stripped_is_said(authority: Authority) -> None:
    both = pydicom.dcmread(io.BytesIO(sign(sign(native(), authority.leaf), authority.leaf)))
    assert len(both.DigitalSignaturesSequence) == 2
    del both.DigitalSignaturesSequence[1]
    found = verify(written(both), trusted(authority))
    assert not found.passed and "1 more signatures are there: they were stripped" in " ".join(found.sentences)


@pytest.mark.parametrize("name", [".hidden.dcm", ".folder/x.dcm"])
def test_what_a_scan_loads_is_looked_at(name: str, authority: Authority, tmp_path: Path) -> None:
    paths = series(tmp_path / "source", 3)
    sign_files(paths[:2], authority.leaf, tmp_path / "signed")
    (tmp_path / "signed" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "signed" / name).write_bytes(paths[2].read_bytes())
    loaded = {Path(each.path) for found in scan(tmp_path / "signed") for each in found.instances}
    assert len(loaded) == 3 and loaded <= set(dicom_files(tmp_path / "signed"))
    assert not verify_files(scanned(tmp_path / "signed"), trusted(authority)).passed


def test_a_file_in_the_place_of_another_is_no_pass(authority: Authority, tmp_path: Path) -> None:
    first, second, third = sign_files(series(tmp_path / "source", 3), authority.leaf, tmp_path / "signed")
    assert verify_files(scanned(tmp_path / "signed"), trusted(authority)).passed
    third.write_bytes(second.read_bytes())
    found = verify_files(scanned(tmp_path / "signed"), trusted(authority))
    assert not found.passed and found.badge == "partly vouched" and set(found.doubled) == {second.name, third.name}
    assert (
        found.sentences[0].startswith("2 files have their SOP Instance UID in common")
        and first.name not in found.sentences[0]
    )


def test_what_no_scan_loads_is_no_alarm(authority: Authority, tmp_path: Path) -> None:
    sign_files(series(tmp_path / "source", 2), authority.leaf, tmp_path / "signed")
    (tmp_path / "signed" / "README.txt").write_text("two slices")
    assert verify_files(scanned(tmp_path / "signed"), trusted(authority)).passed


def test_an_authority_without_key_usage_as_openssl_makes_it(authority: Authority) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Plain CA")])
    for may_sign, state in ((None, "trusted"), (True, "trusted"), (False, "broken")):
        key = ec.generate_private_key(ec.SECP256R1())
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = (
            made.serial_number(7).not_valid_before(TODAY.replace(year=2020)).not_valid_after(TODAY.replace(year=2040))
        )
        made = made.add_extension(x509.BasicConstraints(True, None), critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        if may_sign is not None:
            usage = x509.KeyUsage(True, False, False, False, False, may_sign, False, False, False)
            made = made.add_extension(usage, critical=True)
        root = Signer(key, made.sign(key, hashes.SHA256()))
        leaf = issue("Scanner", ec.generate_private_key(ec.SECP256R1()), root)
        assert Anchors((root.certificate,)).trust(leaf.certificate).state == state, may_sign


def test_a_trusted_file_without_a_root_says_so(authority: Authority, tmp_path: Path) -> None:
    found = load_anchors(pem(authority.between, tmp_path, "between")[1]).trust(authority.leaf.certificate)
    assert found.state == "unknown" and "add that of the root authority" in found.sentence


def test_a_file_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_bytes(b"\0" * 200)
    with pytest.raises(MedAdvError):
        list(dicom_files(tmp_path / "nowhere"))
    assert scanned(tmp_path) == []
