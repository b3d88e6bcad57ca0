import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from napari_medadv.dicom.baseline import Comparison, compare, load_key, load_public, read_ledger, record
from napari_medadv.dicom.baseline.ledger import signature_path
from napari_medadv.dicom.baseline.merkle import root
from napari_medadv.dicom.baseline.pixels import Place
from napari_medadv.dicom.signature import Anchors, Signer, sign
from napari_medadv.errors import Cancelled, LedgerError, SignatureError
from tests.dicom.baseline.series_files import as_jpeg2000, one_level_up, series
from tests.dicom.signature.signed_files import TODAY, Authority, pem, written

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def ledger(folder: Path, tmp_path: Path) -> Path:
    record(folder, tmp_path / "series.ledger", KEY)
    return tmp_path / "series.ledger"


def beside(folder: Path, ledger: Path) -> Comparison:
    return compare(folder, ledger, keys=[KEY.public_key()])


def kinds(found: Comparison) -> list[str]:
    return sorted(change.kind for change in found.changes)


def test_nothing_changed_is_a_pass(folder: Path, ledger: Path) -> None:
    found = beside(folder, ledger)
    assert found.passed and found.unchanged == 6 and not found.changes


def test_one_voxel_changed_by_one_in_three_hundred_slices(tmp_path: Path) -> None:
    paths = series(tmp_path / "series", slices=300, size=64)
    record(tmp_path / "series", tmp_path / "ledger", KEY)
    one_level_up(paths[171], 40, 7)
    found = beside(tmp_path / "series", tmp_path / "ledger")
    (change,) = found.changes
    assert (change.kind, change.name, change.number) == ("altered", "171.dcm", "172")
    assert change.places == (Place(0, (32, 64), (0, 32)),) and not change.parts and not found.passed
    assert "rows 32 to 63, columns 0 to 31" in change.sentence


def test_a_block_at_the_edge_ends_at_the_edge(folder: Path, ledger: Path) -> None:
    one_level_up(folder / "002.dcm", 79, 79)
    (change,) = beside(folder, ledger).changes
    assert change.places == (Place(0, (64, 80), (64, 80)),)


@pytest.mark.parametrize("tool", ["dcmcjpls", "dcmcrle", "dcmconv +ti", "dcmconv +tb", "dcmconv -e"])
def test_lossless_transcoding_there_and_back_is_no_alarm(folder: Path, ledger: Path, tmp_path: Path, tool: str) -> None:
    words = tool.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is missing: install Debian's dcmtk to transcode")
    back = {"dcmcjpls": "dcmdjpls", "dcmcrle": "dcmdrle", "dcmconv": "dcmconv"}[words[0]]
    (tmp_path / "other").mkdir()
    (tmp_path / "again").mkdir()
    for path in folder.iterdir():
        subprocess.run([*words, str(path), str(tmp_path / "other" / path.name)], check=True)
        subprocess.run(
            [back, "+te", str(tmp_path / "other" / path.name), str(tmp_path / "again" / path.name)], check=True
        )
    for out in ("other", "again"):
        found = beside(tmp_path / out, ledger)
        assert found.passed and set(kinds(found)) <= {"re-encoded"} and len(found.changes) + found.unchanged == 6
    one_level_up(tmp_path / "again" / "003.dcm", 0, 0)
    assert [change.number for change in beside(tmp_path / "again", ledger).alarms] == ["4"]


@pytest.mark.parametrize("option", ["--jpegls", "--j2k", "--rle", "--jpeg"])
def test_lossless_transcoding_by_gdcm_is_no_alarm(folder: Path, ledger: Path, tmp_path: Path, option: str) -> None:
    if shutil.which("gdcmconv") is None:
        pytest.skip("gdcmconv is missing: install Debian's libgdcm-tools to transcode")
    for where, from_, words in (("other", folder, [option]), ("again", tmp_path / "other", ["--raw"])):
        (tmp_path / where).mkdir()
        for path in sorted(folder.iterdir()):
            files = [str(from_ / path.name), str(tmp_path / where / path.name)]
            subprocess.run(["gdcmconv", *words, *files], check=True, capture_output=True)
        found = beside(tmp_path / where, ledger)
        assert found.passed and set(kinds(found)) <= {"re-encoded"} and len(found.changes) + found.unchanged == 6
    one_level_up(tmp_path / "again" / "003.dcm", 0, 0)
    assert [change.number for change in beside(tmp_path / "again", ledger).alarms] == ["4"]


def test_jpeg_2000_is_no_alarm(folder: Path, ledger: Path) -> None:
    for path in folder.iterdir():
        as_jpeg2000(path, path)
    found = beside(folder, ledger)
    assert found.passed and kinds(found) == ["re-encoded"] * 6


def test_added_removed_and_swapped_are_found(folder: Path, ledger: Path, tmp_path: Path) -> None:
    (folder / "000.dcm").unlink()
    first, second = (pydicom.dcmread(folder / name) for name in ("001.dcm", "002.dcm"))
    first.PixelData, second.PixelData = second.PixelData, first.PixelData
    (folder / "001.dcm").write_bytes(written(first))
    (folder / "002.dcm").write_bytes(written(second))
    added = pydicom.dcmread(folder / "003.dcm")
    added.SOPInstanceUID = added.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3")
    (folder / "new.dcm").write_bytes(written(added))
    shutil.copy(folder / "004.dcm", folder / "twice.dcm")
    found = beside(folder, ledger)
    assert kinds(found) == ["added", "added", "missing", "swapped", "swapped"] and not found.passed
    said = " ".join(found.sentences)
    assert "with the pixels of instance 4" in said and "holds the pixels of instance 3" in said
    assert "Instance 1 " in said and "is missing" in said and "twice.dcm is a second file of instance 5" in said


def test_a_changed_header_is_named_by_its_part(folder: Path, ledger: Path) -> None:
    for name, tag, value in (("000.dcm", "RescaleIntercept", "-1000"), ("001.dcm", "PatientID", "8")):
        dataset = pydicom.dcmread(folder / name)
        setattr(dataset, tag, value)
        (folder / name).write_bytes(written(dataset))
    changes = beside(folder, ledger).changes
    assert sorted(change.parts for change in changes) == [("meaning",), ("patient",)]


def test_a_stripped_dicom_signature_is_an_alarm(folder: Path, tmp_path: Path, authority: Authority) -> None:
    plain = {path: path.read_bytes() for path in folder.iterdir()}
    for path, data in plain.items():
        path.write_bytes(sign(data, authority.leaf))
    record(folder, tmp_path / "signed.ledger", KEY)
    for path, data in plain.items():
        path.write_bytes(data)
    found = beside(folder, tmp_path / "signed.ledger")
    assert kinds(found) == ["altered"] * 6 and "signature was removed" in found.sentences[0]


def test_only_series_that_are_met_can_miss_instances(tmp_path: Path) -> None:
    series(tmp_path / "archive" / "a")
    series(tmp_path / "archive" / "b")
    ledger = tmp_path / "archive.ledger"
    record(tmp_path / "archive", ledger, KEY)
    found = beside(tmp_path / "archive" / "a", ledger)
    assert found.passed and found.elsewhere == 6
    whole = compare(tmp_path / "archive" / "a", ledger, keys=[KEY.public_key()], complete=True)
    assert kinds(whole) == ["missing"] * 6


def test_appending_keeps_every_line_and_head(folder: Path, ledger: Path, tmp_path: Path) -> None:
    before = ledger.read_bytes()
    series(tmp_path / "series" / "more", slices=2)
    found = record(folder, ledger, KEY)
    assert (found.added, found.known) == (2, 6) and len(found.ledger.heads) == 2
    assert ledger.read_bytes().startswith(before) and beside(folder, ledger).unchanged == 8
    with pytest.raises(LedgerError, match="give the key"):
        record(folder, ledger)


def test_a_ledger_keeps_no_identity(ledger: Path) -> None:
    data = ledger.read_bytes() + signature_path(ledger).read_bytes()
    assert b"Test" not in data and b"Signed" not in data and b".dcm" not in data


def test_whatever_is_done_to_a_ledger_it_never_passes(folder: Path, ledger: Path) -> None:
    lines = ledger.read_bytes().splitlines(keepends=True)
    heads = signature_path(ledger).read_bytes()
    forged = json.loads(heads)
    forged["heads"][0]["root"] = root([line.rstrip(b"\n") for line in lines[:-1]])
    forged["heads"][0]["size"] -= 1
    broken = {
        "a line cut": (b"".join(lines[:-1]), heads),
        "half a line": (b"".join(lines)[:-20], heads),
        "a line twice": (b"".join([*lines, lines[-1]]), heads),
        "a digit": (b"".join(lines).replace(b'"number":"3"', b'"number":"9"'), heads),
        "lines in another order": (b"".join([lines[0], *reversed(lines[1:])]), heads),
        "no json": (b"".join([*lines[:-1], b"x\n"]), heads),
        "another salt": (b"".join(lines).replace(b'"salt":"', b'"salt":"0', 1), heads),
        "empty": (b"", heads),
        "a forged head": (b"".join(lines[:-1]), json.dumps(forged).encode()),
        "a head of nonsense": (b"".join(lines), b'{"heads": [{"size": 1}]}'),
        "no heads": (b"".join(lines), b'{"heads": []}'),
        "no json heads": (b"".join(lines), b"\xff"),
    }
    for what, (data, signatures) in broken.items():
        ledger.write_bytes(data)
        signature_path(ledger).write_bytes(signatures)
        try:
            passed = beside(folder, ledger).passed
        except LedgerError as error:
            passed = False
            assert str(error).endswith("."), what
        assert not passed, what


def test_an_older_copy_is_noticed_by_its_root(folder: Path, ledger: Path, tmp_path: Path) -> None:
    series(tmp_path / "series" / "more", slices=1)
    old, new = tmp_path / "old.ledger", read_ledger(ledger).root
    shutil.copy(ledger, old)
    shutil.copy(signature_path(ledger), signature_path(old))
    expected = record(folder, ledger, KEY).ledger.root
    assert expected != new and compare(folder, ledger, keys=[KEY.public_key()], expected_root=expected).passed
    with pytest.raises(LedgerError, match="older copy"):
        compare(folder, old, keys=[KEY.public_key()], expected_root=expected)


def test_who_signed_a_ledger(folder: Path, tmp_path: Path, authority: Authority) -> None:
    record(folder, tmp_path / "x509.ledger", authority.leaf)
    record(folder, tmp_path / "nobody.ledger")
    record(folder, tmp_path / "ed.ledger", KEY)
    chain = Anchors((authority.root.certificate,), (authority.between.certificate,))
    other = Ed25519PrivateKey.generate().public_key()
    later = TODAY + timedelta(days=1000)
    assert compare(folder, tmp_path / "x509.ledger", chain).passed
    assert compare(folder, tmp_path / "x509.ledger").trust.state == "unchecked"
    assert (
        compare(folder, tmp_path / "x509.ledger", Anchors((authority.stranger.certificate,))).trust.state == "unknown"
    )
    assert compare(folder, tmp_path / "x509.ledger", chain, at=later).trust.state == "expired"
    assert compare(folder, tmp_path / "nobody.ledger", chain, [KEY.public_key()]).trust.state == "unknown"
    assert compare(folder, tmp_path / "ed.ledger", keys=[other]).trust.state == "unknown"
    assert compare(folder, tmp_path / "ed.ledger").trust.state == "unchecked"


def test_an_interrupted_run_goes_on(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = tmp_path / "series.ledger"

    def stop(share: float, words: str) -> None:
        if share >= 0.5:
            raise Cancelled

    monkeypatch.setattr(sys.modules["napari_medadv.dicom.baseline.record"], "throttled", lambda progress: progress)
    with pytest.raises(Cancelled):
        record(folder, ledger, KEY, progress=stop)
    assert not ledger.exists()
    found = record(folder, ledger, KEY)
    assert found.resumed == 3 and found.added == 6 and beside(folder, ledger).passed
    assert not list(tmp_path.glob("*.part"))


def test_a_ledger_of_files_only(folder: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "files.ledger"
    record(folder, ledger, KEY, depth="files")
    assert beside(folder, ledger).passed
    one_level_up(folder / "001.dcm", 0, 0)
    assert "another file than recorded" in beside(folder, ledger).sentences[0]


def test_what_is_no_dicom_is_left_out_and_said(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("nothing")
    found = record(folder, tmp_path / "ledger", KEY)
    assert found.added == 6 and len(found.left_out) == 1
    assert beside(folder, tmp_path / "ledger").passed
    (tmp_path / "empty").mkdir()
    with pytest.raises(LedgerError, match="no DICOM"):
        record(tmp_path / "empty", tmp_path / "none", KEY)


def test_keys_from_files(tmp_path: Path, authority: Authority) -> None:
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    private.write_bytes(
        KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert isinstance(load_key(private), Ed25519PrivateKey)
    assert load_public(public).public_bytes_raw() == KEY.public_key().public_bytes_raw()
    key, certificate = pem(authority.leaf, tmp_path, "leaf")
    assert isinstance(load_key(key, certificate), Signer)
    for wrong in (key, public, tmp_path / "none"):
        with pytest.raises(SignatureError):
            load_key(wrong)
    with pytest.raises(SignatureError):
        load_public(certificate)


def test_the_root_of_known_lines() -> None:
    assert root([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root([b""]) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert len({root([b"a"] * count) for count in range(1, 9)}) == 8
