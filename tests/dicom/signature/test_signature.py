import io
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from napari_medadv.dicom.signature import (
    BASE,
    CREATOR,
    NONE,
    Anchors,
    Profile,
    load_anchors,
    load_signer,
    sign,
    sign_files,
    unsigned,
    verify,
    verify_files,
)
from napari_medadv.dicom.signature.elements import elements
from napari_medadv.dicom.signature.profile import Algorithm
from napari_medadv.errors import OutputError, SignatureError
from tests.dicom.signature.signed_files import TODAY, Authority, ct, issue, native, pem, written


def trusted(authority: Authority) -> Anchors:
    return Anchors((authority.root.certificate,), (authority.between.certificate,))


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("profile", [NONE, BASE, CREATOR], ids=lambda profile: profile.name)
def test_a_signed_file_is_vouched_for(
    authority: Authority, data: bytes, profile: Profile, algorithm: Algorithm
) -> None:
    signed = sign(data, authority.leaf, profile=profile, algorithm=algorithm)
    found = verify(signed, trusted(authority))
    assert found.passed and found.badge == "vouched" and not found.bare
    assert found.signatures[0].algorithm == algorithm and "creator" in found.signatures[0].profiles
    assert found.signatures[0].signer == "CT Scanner 7"


def test_only_the_signature_is_added(authority: Authority) -> None:
    before = native()
    assert unsigned(sign(before, authority.leaf)) == before


def test_an_elliptic_curve_signs_under_no_rsa_profile(authority: Authority, data: bytes) -> None:
    found = verify(sign(data, authority.curve, profile=NONE), trusted(authority))
    assert found.passed and found.signatures[0].profiles == ("none",)
    with pytest.raises(SignatureError, match="RSA keys only"):
        sign(data, authority.curve, profile=CREATOR)


def test_every_flipped_bit_is_caught(authority: Authority) -> None:
    signed = sign(native(), authority.leaf)
    start = signed.index(b"DICM") + 4
    body = next(at for at in range(start, len(signed)) if signed[at : at + 6] == b"\x08\x00\x08\x00CS")
    missed = []
    for at in [*range(body, len(signed), 131), signed.rindex(b"OW") + 400, len(signed) - 1]:
        broken = bytearray(signed)
        broken[at] ^= 1
        if verify(bytes(broken), trusted(authority)).passed:
            missed.append(at)
    assert not missed


def test_one_grey_level_is_named_as_altered(authority: Authority) -> None:
    signed = bytearray(sign(native(), authority.leaf))
    signed[signed.rindex(b"\xe0\x7f\x10\x00OW") + 12 + 100] ^= 1
    found = verify(bytes(signed), trusted(authority))
    assert found.badge == "altered" and "altered" in found.sentences[0]


def test_an_added_element_is_named(authority: Authority) -> None:
    dataset = pydicom.dcmread(io.BytesIO(sign(native(), authority.leaf)))
    dataset.WindowCenter = 40
    found = verify(written(dataset), trusted(authority))
    assert found.badge == "partly vouched" and not found.passed
    assert "(0028,1050) WindowCenter" in found.sentences[0]


def test_a_removed_element_is_named(authority: Authority) -> None:
    dataset = pydicom.dcmread(io.BytesIO(sign(native(), authority.leaf)))
    del dataset.StudyDate
    found = verify(written(dataset), trusted(authority))
    assert found.badge == "altered" and "StudyDate removed" in " ".join(found.sentences)


def test_a_signature_over_some_tags_vouches_in_part(authority: Authority) -> None:
    tags = [0x00080016, 0x00080018, 0x7FE00010]
    found = verify(sign(native(), authority.leaf, profile=BASE, tags=tags), trusted(authority))
    assert found.badge == "partly vouched" and found.signatures[0].covered == tuple(tags)
    with pytest.raises(SignatureError, match="profile must cover"):
        sign(native(), authority.leaf, profile=CREATOR, tags=tags)


def test_absent_and_stripped(authority: Authority) -> None:
    found = verify(native(), trusted(authority))
    assert found.badge == "unsigned" and not found.passed
    dataset = pydicom.dcmread(io.BytesIO(sign(native(), authority.leaf)))
    del dataset[0xFFFAFFFA]
    half = verify(written(dataset), trusted(authority))
    assert half.badge == "altered" and "stripped" in half.sentences[0]


def test_several_signers_are_each_named(authority: Authority) -> None:
    twice = sign(sign(native(), authority.stranger), authority.leaf, profile=BASE, algorithm="SHA512")
    found = verify(twice, trusted(authority))
    assert [s.signer for s in found.signatures] == ["Stranger", "CT Scanner 7"]
    assert [s.trust.state for s in found.signatures] == ["unknown", "trusted"] and found.passed


def test_whom_to_trust(authority: Authority) -> None:
    signed = sign(native(), authority.leaf)
    root, between = authority.root.certificate, authority.between.certificate
    later = TODAY + timedelta(days=1000)
    impostor = issue("Test Root", rsa.generate_private_key(65537, 2048), authority=True)
    cases = [
        (Anchors(), None, "unchecked"),
        (Anchors((authority.stranger.certificate,)), None, "unknown"),
        (Anchors((root,)), None, "unknown"),
        (Anchors((root,), (between,)), None, "trusted"),
        (Anchors((root,), (between,)), later, "expired"),
        (Anchors((impostor.certificate,), (between,)), None, "broken"),
    ]
    for anchors, at, state in cases:
        found = verify(signed, anchors, at=at)
        assert found.signatures[0].trust.state == state and found.passed == (state == "trusted")
        assert found.signatures[0].trust.sentence.endswith(".")


def test_an_expired_certificate_neither_signs_nor_passes(authority: Authority) -> None:
    with pytest.raises(SignatureError, match="renew"):
        sign(native(), authority.expired)
    then = TODAY - timedelta(days=30)
    found = verify(sign(native(), authority.expired, when=then), trusted(authority))
    assert found.badge == "not trusted" and "expired on" in found.sentences[0]


def test_a_leaf_is_no_authority(authority: Authority) -> None:
    forged = issue("Forged", rsa.generate_private_key(65537, 2048), authority.leaf)
    anchors = Anchors((authority.root.certificate,), (authority.between.certificate, authority.leaf.certificate))
    assert verify(sign(native(), forged), anchors).signatures[0].trust.state == "broken"


def test_a_transcoded_file_says_so(authority: Authority) -> None:
    signed = sign(native(), authority.leaf)
    other = signed.replace(b"1.2.840.10008.1.2.1\x00", b"1.2.840.10008.1.2.5\x00", 1)
    found = verify(other, trusted(authority))
    assert not found.passed and "transcoded" in " ".join(found.sentences)


def test_a_series_in_which_one_signature_is_missing(authority: Authority, tmp_path: Path) -> None:
    paths = []
    for index in range(4):
        path = tmp_path / f"{index}.dcm"
        path.write_bytes(native())
        paths.append(path)
    out = sign_files(paths, authority.leaf, tmp_path / "signed")
    assert verify_files(out, trusted(authority)).passed
    out[2].write_bytes(unsigned(out[2].read_bytes()))
    found = verify_files(out, trusted(authority))
    assert found.badge == "altered" and "2.dcm" in found.sentences[0] and not found.passed
    with pytest.raises(OutputError):
        sign_files(paths, authority.leaf, tmp_path / "signed")


def test_nothing_half_signed_is_left(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "good.dcm").write_bytes(native())
    (tmp_path / "bad.dcm").write_bytes(native()[:-9])
    with pytest.raises(SignatureError, match=r"bad\.dcm"):
        sign_files([tmp_path / "good.dcm", tmp_path / "bad.dcm"], authority.leaf, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.dcm", "good.dcm"]


def test_keys_and_certificates_from_files(authority: Authority, tmp_path: Path) -> None:
    key, certificate = pem(authority.leaf, tmp_path, "leaf")
    other, _ = pem(authority.stranger, tmp_path, "stranger")
    _, root = pem(authority.root, tmp_path, "root")
    _, between = pem(authority.between, tmp_path, "between")
    anchors = load_anchors(root, between)
    assert verify(sign(native(), load_signer(key, certificate)), anchors).passed
    for wrong in [(other, certificate), (certificate, certificate), (tmp_path / "none", certificate), (key, key)]:
        with pytest.raises(SignatureError):
            load_signer(*wrong)
    with pytest.raises(SignatureError, match="password"):
        load_signer(key, certificate, b"secret")


def test_a_short_key_does_not_sign() -> None:
    with pytest.raises(SignatureError, match="1024 bits"):
        issue("Short", rsa.generate_private_key(65537, 1024))


def test_mac_parameters_that_are_ambiguous_or_forged_never_pass(authority: Authority) -> None:
    signed = pydicom.dcmread(io.BytesIO(sign(native(), authority.leaf)))
    twice = pydicom.dcmread(io.BytesIO(sign(native(), authority.leaf)))
    twice.MACParametersSequence = [*twice.MACParametersSequence, twice.MACParametersSequence[0]]
    assert not verify(written(twice), trusted(authority)).passed
    signed.MACParametersSequence[0].DataElementsSigned = [0x00080016]
    assert verify(written(signed), trusted(authority)).badge == "altered"


@pytest.mark.parametrize("bad", [b"", b"\0" * 300, b"\0" * 128 + b"DICM" + b"\xff" * 64])
def test_what_is_no_dicom_is_a_finding(bad: bytes) -> None:
    found = verify(bad)
    assert not found.passed and len(found.problems) == 1


def test_truncation_at_any_place_is_refused() -> None:
    data = native()
    body = data.index(b"\x08\x00\x08\x00CS")
    whole = elements(data, body)
    ends = {element.end for element in whole}
    for stop in range(body + 1, len(data), 37):
        if stop not in ends:
            with pytest.raises(SignatureError):
                elements(data[:stop], body)


def test_deep_nesting_is_refused() -> None:
    deep = b"\x08\x00\x12\x21SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 500
    with pytest.raises(SignatureError, match="nested"):
        elements(deep)


def test_implicit_and_deflated_sources(authority: Authority) -> None:
    for syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"):
        dataset = ct()
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
        assert verify(sign(written(dataset), authority.leaf), trusted(authority)).passed


def test_a_signer_is_not_shown_with_its_key(authority: Authority) -> None:
    assert "PRIVATE" not in repr(authority.leaf)
