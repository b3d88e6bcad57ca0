"""Provenance dock: signed and intact, changed, stripped, recorded, altered in a block, derived; verifying and signing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import UID

from napari_medadv.attacks import perturb
from napari_medadv.attacks.pgd import PGD
from napari_medadv.dicom.baseline import record
from napari_medadv.dicom.decode import decode
from napari_medadv.dicom.series import Series, scan
from napari_medadv.display import Loaded, Outcome
from napari_medadv.errors import MedAdvError
from napari_medadv.measure.heatmap import signed_difference
from napari_medadv.model import Classifier
from napari_medadv.progress import silent
from napari_medadv.threat import Conceal, Linf, Threat
from napari_medadv.widgets.badge import TONES
from napari_medadv.widgets.commands import show
from napari_medadv.widgets.provenance import ProvenancePanel
from napari_medadv.widgets.shown import Shown
from napari_medadv.widgets.stage import stage_of
from napari_medadv.widgets.standing import Trust, derived, recorded, sign_copies, signed
from tests.dicom.signature.signed_files import Authority, authority, pem

__all__ = ["authority"]


@pytest.fixture
def series(ct_folder: Path) -> Series:
    return scan(ct_folder)[0]


@pytest.fixture
def keys(authority: Authority, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Key and certificate of a scanner, and the certificates that lead to it."""
    key, certificate = pem(authority.leaf, tmp_path, "scanner")
    _, root = pem(authority.root, tmp_path, "root")
    _, between = pem(authority.between, tmp_path, "between")
    root.write_bytes(root.read_bytes() + between.read_bytes())
    return key, certificate, root


def one_level_up(path: Path) -> None:
    """Change one voxel by one grey level."""
    dataset = pydicom.dcmread(path)
    voxels = dataset.pixel_array.copy()
    voxels[5, 7] += 1
    dataset.PixelData = voxels.tobytes()
    dataset.save_as(path)


def test_signatures_in_words(series: Series, keys: tuple[Path, Path, Path], tmp_path: Path) -> None:
    key, certificate, root = keys
    assert signed(series, root, silent).words == "Not signed"
    name, count = sign_copies(series, key, certificate, None, tmp_path / "signed", silent)
    assert (name, count) == ("CT Scanner 7", 6)
    copies = scan(tmp_path / "signed")[0]
    assert signed(copies, root, silent).tone == "good"
    assert signed(copies, None, silent).words == "Signed and intact, signer not trusted"
    one_level_up(copies.instances[2].path)
    assert signed(copies, root, silent).words == "Signed, but changed or stripped"
    with pytest.raises(MedAdvError, match="lies inside the source"):
        sign_copies(series, key, certificate, None, series.root / "signed", silent)


def test_a_ledger_in_words(series: Series, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    record(series.root, ledger)
    same = recorded(series, ledger, None, None, silent)
    assert (same.words, same.tone) == ("As recorded, ledger not trusted", "unsure")
    one_level_up(series.instances[2].path)
    other = recorded(series, ledger, None, None, silent)
    number = series.instances[2].number
    assert other.words == f"Differs from the baseline: instance {number} altered" and other.tone == "bad"
    assert "stored values differ in 1 block" in other.sentences[0]


def test_another_series_of_the_folder_is_left_aside(series: Series, tmp_path: Path) -> None:
    record(series.root, tmp_path / "ledger")
    alien = pydicom.dcmread(series.instances[0].path)
    alien.SeriesInstanceUID = "1.2.3.4"
    alien.SOPInstanceUID = "1.2.3.4.1"
    alien.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.1")
    alien.save_as(series.root / "alien.dcm")
    found = {len(each.instances): each for each in scan(series.root)}
    assert recorded(found[6], tmp_path / "ledger", None, None, silent).tone == "unsure"
    assert recorded(found[1], tmp_path / "ledger", None, None, silent).words == "Not in this ledger"


def test_from_a_loaded_series_to_a_signed_adversarial_one(
    viewer: Any,
    loaded: Loaded,
    classifier: Classifier,
    keys: tuple[Path, Path, Path],
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    stage, panel = stage_of(viewer), ProvenancePanel(viewer)
    viewer.window.add_dock_widget(panel, name="Provenance")
    assert panel.badges["signature"].text() == "Nothing is loaded" and not panel.verify_button.isEnabled()
    stage.show(loaded)
    until(lambda: panel.badges["signature"].text() == "Not signed")
    found = perturb(classifier, loaded.volume, Threat(Conceal("nodule"), Linf(8)), PGD())
    stage.show_outcome(Outcome(loaded, classifier, found, signed_difference(found.clean, found.adversarial)))
    panel.what.setCurrentIndex(1)
    panel.sign(tmp_path / "signed")
    assert "name all three" in panel.message.text()
    panel.key.set_path(keys[0])
    panel.certificate.set_path(keys[1])
    panel.authorities.set_path(keys[2])
    panel.sign(tmp_path / "signed")
    until(lambda: "6 files signed by CT Scanner 7" in panel.message.text())
    (copies,) = scan(tmp_path / "signed")
    assert derived(copies) is not None and loaded.series is not None and derived(loaded.series) is None
    stage.show(Loaded(decode(copies), copies))
    until(lambda: panel.badges["signature"].text() == "Signed and intact")
    assert panel.badges["origin"].text() == "Derived test image" and panel.badges["origin"].isVisibleTo(panel)
    panel.ledger.set_path(tmp_path / "nowhere")
    panel.verify()
    until(lambda: panel.badges["baseline"].text() == "The ledger is refused")
    assert "nowhere" in panel.words.toPlainText()


def test_the_series_dock_tells_the_same_beside_the_window(
    viewer: Any, loaded: Loaded, keys: tuple[Path, Path, Path], until: Callable[..., None], tmp_path: Path
) -> None:
    assert loaded.series is not None
    stage, panel = stage_of(viewer), show(viewer, "Series")
    badges = panel.findChild(Shown).badges
    assert not any(badge.isVisibleTo(panel) for badge in badges.values())
    panel.open(loaded.series.root)
    until(lambda: stage.session.loaded)
    assert badges["signature"].text() == "Checking signatures…" and "#1f7a4d" not in badges["signature"].styleSheet()
    until(lambda: badges["signature"].text() == "Not signed")
    assert badges["baseline"].text() == "No baseline"
    assert "Not signed · No baseline" in panel.list.item(0).text()
    assert all(TONES["plain"] in badges[name].styleSheet() for name in ("signature", "baseline"))
    sign_copies(loaded.series, keys[0], keys[1], None, tmp_path / "signed", silent)
    record(tmp_path / "signed", tmp_path / "ledger")
    (copies,) = scan(tmp_path / "signed")
    stage.session.trust = Trust(keys[2], tmp_path / "ledger")
    stage.show(Loaded(decode(copies), copies))
    until(
        lambda: badges["signature"].text() == "Signed and intact" and TONES["good"] in badges["signature"].styleSheet()
    )
    until(lambda: badges["baseline"].text() == "As recorded, ledger not trusted")
    one_level_up(copies.instances[2].path)
    stage.vouching.check()
    until(lambda: badges["signature"].text() == "Signed, but changed or stripped")
    assert badges["baseline"].text().startswith("Differs from the baseline")
    assert all(TONES["bad"] in badges[name].styleSheet() for name in ("signature", "baseline"))
    stage.show(Loaded(loaded.volume))
    assert badges["signature"].text() == "No DICOM files"
    viewer.layers.clear()
    assert not any(badge.isVisibleTo(panel) for badge in badges.values())
