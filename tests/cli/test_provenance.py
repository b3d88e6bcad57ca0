import json
from pathlib import Path

import pydicom
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.cli.conftest import Medadv
from tests.dicom.baseline.series_files import one_level_up, series
from tests.dicom.signature.signed_files import Authority, authority, pem, written

__all__ = ["authority"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    series(tmp_path / "series", slices=3, size=40)
    return tmp_path / "series"


def test_sign_and_verify(medadv: Medadv, folder: Path, authority: Authority, tmp_path: Path) -> None:
    key, certificate = pem(authority.leaf, tmp_path, "leaf")
    _, root = pem(authority.root, tmp_path, "root")
    _, between = pem(authority.between, tmp_path, "between")
    out = tmp_path / "signed"
    said = medadv("sign", folder, "--key", key, "--certificate", certificate, "--out", out)
    assert said.code == 0 and "3 files signed by CT Scanner 7" in said.out
    trust = ["--ca", root, "--ca", between]
    assert medadv("verify", out, *trust).code == 0
    unknown = medadv("verify", out, "--json")
    assert unknown.code == 3 and json.loads(unknown.out)["badge"] == "not trusted"
    assert medadv("verify", folder, *trust).code == 3
    dataset = pydicom.dcmread(out / "001.dcm")
    dataset.WindowCenter = 40
    (out / "001.dcm").write_bytes(written(dataset))
    said = medadv("verify", out, *trust)
    assert said.code == 3 and "(0028,1050) WindowCenter" in said.out and "001.dcm" in said.out
    again = medadv("sign", folder, "--key", key, "--certificate", certificate, "--out", out)
    assert "not empty" in again.one_sentence()
    inside = medadv("sign", folder, "--key", key, "--certificate", certificate, "--out", folder / "in")
    assert "inside the source" in inside.one_sentence()


def test_baseline_and_verify(medadv: Medadv, folder: Path, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private, public, ledger = tmp_path / "key.pem", tmp_path / "public.pem", tmp_path / "ledger"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    said = medadv("baseline", folder, "--ledger", ledger, "--key", private, "--json")
    found = json.loads(said.out)
    assert said.code == 0 and found["added"] == 3 and found["signed"]
    check = ["verify", folder, "--baseline", ledger, "--public-key", public, "--root", found["root"]]
    assert medadv(*check).code == 0
    one_level_up(folder / "002.dcm", 35, 3)
    said = medadv(*check)
    assert said.code == 3 and "Instance 3" in said.out and "rows 32 to 39, columns 0 to 31" in said.out
    ledger.write_bytes(ledger.read_bytes().replace(b'"number":"1"', b'"number":"7"'))
    assert "a line was changed" in medadv(*check).one_sentence()


def test_calibrate_and_examine(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> None:
    reference = tmp_path / "reference.json"
    few = medadv("calibrate", ct, "--model", model, "--reference", reference, "--detector", "squeeze")
    assert "at least 5" in few.one_sentence() and not reference.exists()
    none = medadv("examine", ct, "--model", model, "--reference", reference)
    assert "cannot be read" in none.one_sentence()
