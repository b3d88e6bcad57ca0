import subprocess
from pathlib import Path
from typing import Literal

import pytest

from napari_medadv.dicom.signature import PROFILES, Anchors, Signer, sign, verify
from napari_medadv.dicom.signature.elements import PIXEL_DATA, elements
from napari_medadv.dicom.signature.part10 import part10
from napari_medadv.dicom.signature.profile import Algorithm
from tests.dicom.signature.signed_files import Authority, native, pem

Name = Literal["none", "base", "creator"]
FLAGS: dict[Name, str] = {"none": "-pf", "base": "+pb", "creator": "+pc"}
HASHES: dict[Algorithm, str] = {"SHA256": "+m2", "SHA384": "+m3", "SHA512": "+m5"}
DEMANDS: dict[Name, str] = {"none": "+rg", "base": "+rg", "creator": "+rc"}
COMBINATIONS = [(profile, "SHA256", "leaf") for profile in FLAGS] + [
    ("creator", "SHA384", "leaf"),
    ("creator", "SHA512", "leaf"),
    ("none", "SHA256", "curve"),
]


def run(*words: object) -> int:
    return subprocess.run([str(word) for word in words], capture_output=True, check=False).returncode


@pytest.fixture
def trusted(authority: Authority, tmp_path: Path) -> tuple[Anchors, list[object]]:
    _, root = pem(authority.root, tmp_path, "root")
    _, between = pem(authority.between, tmp_path, "between")
    return Anchors((authority.root.certificate,), (authority.between.certificate,)), ["+cf", root, "+cf", between]


@pytest.mark.parametrize(("profile", "algorithm", "who"), COMBINATIONS)
def test_dcmsign_accepts_ours(
    authority: Authority,
    data: bytes,
    dcmsign: str,
    tmp_path: Path,
    trusted: tuple[Anchors, list[object]],
    profile: Name,
    algorithm: Algorithm,
    who: str,
) -> None:
    signer: Signer = getattr(authority, who)
    path = tmp_path / "ours.dcm"
    signed = sign(data, signer, profile=PROFILES[profile], algorithm=algorithm)
    path.write_bytes(signed)
    assert run(dcmsign, "--verify", DEMANDS[profile], *trusted[1], path) == 0
    at = _a_pixel(signed)
    path.write_bytes(signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :])
    assert run(dcmsign, "--verify", DEMANDS[profile], *trusted[1], path) != 0
    assert verify(path.read_bytes(), trusted[0]).badge == "altered"


@pytest.mark.parametrize(("profile", "algorithm", "who"), COMBINATIONS)
def test_we_accept_dcmsigns(
    authority: Authority,
    data: bytes,
    dcmsign: str,
    tmp_path: Path,
    trusted: tuple[Anchors, list[object]],
    profile: Name,
    algorithm: Algorithm,
    who: str,
) -> None:
    key, certificate = pem(getattr(authority, who), tmp_path, who)
    source, path = tmp_path / "source.dcm", tmp_path / "theirs.dcm"
    source.write_bytes(data)
    assert run(dcmsign, "+s", key, certificate, FLAGS[profile], HASHES[algorithm], source, path) == 0
    signed = path.read_bytes()
    found = verify(signed, trusted[0])
    assert found.passed and not found.bare
    assert profile in found.signatures[0].profiles
    at = _a_pixel(signed)
    path.write_bytes(signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :])
    assert verify(path.read_bytes(), trusted[0]).badge == "altered"
    assert run(dcmsign, "--verify", *trusted[1], path) != 0


def test_both_sign_one_file(
    authority: Authority, data: bytes, dcmsign: str, tmp_path: Path, trusted: tuple[Anchors, list[object]]
) -> None:
    key, certificate = pem(authority.leaf, tmp_path, "leaf")
    path, both = tmp_path / "ours.dcm", tmp_path / "both.dcm"
    path.write_bytes(sign(data, authority.leaf))
    assert run(dcmsign, "+s", key, certificate, "+pc", "+m2", path, both) == 0
    found = verify(both.read_bytes(), trusted[0])
    assert found.passed and len(found.signatures) == 2
    both.write_bytes(sign(both.read_bytes(), authority.leaf))
    assert run(dcmsign, "--verify", "+rc", *trusted[1], both) == 0
    assert verify(both.read_bytes(), trusted[0]).passed


def test_a_signature_inside_an_item_is_found_and_checked(
    authority: Authority, dcmsign: str, tmp_path: Path, trusted: tuple[Anchors, list[object]]
) -> None:
    key, certificate = pem(authority.leaf, tmp_path, "leaf")
    source, path = tmp_path / "source.dcm", tmp_path / "item.dcm"
    source.write_bytes(native())
    assert run(dcmsign, "+si", key, certificate, "SourceImageSequence[0]", "+m2", source, path) == 0
    found = verify(path.read_bytes(), trusted[0])
    assert [signature.state for signature in found.signatures] == ["valid"] and found.signatures[0].place
    assert found.badge == "unsigned" and not found.passed


@pytest.mark.parametrize("who", ["leaf", "curve"])
@pytest.mark.parametrize(("algorithm", "flag"), [("SHA1", "+ms"), ("MD5", "+mm"), ("RIPEMD160", "+mr")])
def test_weak_hashes_are_checked_and_are_no_pass(
    authority: Authority,
    dcmsign: str,
    tmp_path: Path,
    trusted: tuple[Anchors, list[object]],
    algorithm: str,
    flag: str,
    who: str,
) -> None:
    key, certificate = pem(getattr(authority, who), tmp_path, who)
    source, path = tmp_path / "source.dcm", tmp_path / "weak.dcm"
    source.write_bytes(native())
    assert run(dcmsign, "+s", key, certificate, flag, source, path) == 0
    signed = path.read_bytes()
    (found,) = verify(signed, trusted[0]).signatures
    assert (found.state, found.algorithm, found.trust.state, found.passed) == ("valid", algorithm, "weak", False)
    at = _a_pixel(signed)
    (changed,) = verify(signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :], trusted[0]).signatures
    assert changed.state == "corrupted"


def _a_pixel(signed: bytes) -> int:
    file = part10(signed)
    pixels = next(member for member in elements(file.body) if member.tag == PIXEL_DATA)
    start = pixels.fragments[1][0] if pixels.fragments else pixels.value
    return len(signed) - len(file.body) + start + 64
