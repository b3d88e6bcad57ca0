"""What is reported as a success is one still when SimpleITK reads the derived files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_medadv.attacks import perturb
from napari_medadv.catalogue import entry
from napari_medadv.dicom import Derivation, decode, save, scan
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L1, L2, Budget, Conceal, Linf, Threat
from tests.benchmarks.survival import SYNTAXES, by_simpleitk, judged, recompressed
from tests.dicom.making import dataset, write


def network(values: Tensor) -> Tensor:
    """One logit, which a change of 3 HU in the right voxels turns and a change of 2 HU in all of them does not."""
    weight = torch.linspace(-1, 1, values[0].numel()).sign().view(1, -1)
    return 2.5 * values[0].numel() + ((values + 500) * 1.0).flatten(1) @ weight.T


@pytest.mark.parametrize("compression", sorted(SYNTAXES))
@pytest.mark.parametrize(
    ("attack", "budget"),
    [("pgd", Linf(4)), ("fmn", Linf(4)), ("ddn", L2(60)), ("pdpgd", L1(2000)), ("square", Linf(6)), ("pgd", Linf(2))],
)
def test_a_reported_success_survives_simpleitk(attack: str, budget: Budget, compression: str, tmp_path: Path) -> None:
    pytest.importorskip("SimpleITK")
    for index in range(2):
        write(dataset("CT", index, voxels=np.full((16, 12), 524, np.int16)), tmp_path / "source" / f"{index}.dcm")
    source = recompressed(tmp_path / "source", tmp_path / "compressed", SYNTAXES[compression])
    (series,) = scan(source).series
    classifier = Classifier(network, Findings(("finding",), "sigmoid"), "HU")
    found = perturb(
        classifier, decode(series), Threat(Conceal("finding"), budget), entry(attack, "napari_medadv.attacks")()
    )
    told = judged(found, series, classifier, tmp_path / "derived")
    assert told.reported == (budget.epsilon > 2), "2 HU do not do, and are not said to"
    assert told.same_integers and told.still == told.reported


def test_simpleitk_turns_what_we_compress_round_by_the_bits_stored(tmp_path: Path) -> None:
    pytest.importorskip("SimpleITK")
    voxels = np.arange(192, dtype=np.uint16).reshape(16, 12)
    ds = dataset("CR", voxels=voxels, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    write(ds, tmp_path / "source" / "a.dcm")
    source = recompressed(tmp_path / "source", tmp_path / "compressed", SYNTAXES["JPEG 2000"])
    (series,) = scan(source).series
    volume = decode(series)
    files = save(
        volume.with_voxels(volume.voxels + np.uint16(1)), series, Derivation("x"), tmp_path / "out", syntax="source"
    )
    assert np.array_equal(by_simpleitk(tuple(files), volume).voxels, volume.voxels + 1)


def test_monochrome1_is_turned_back(tmp_path: Path) -> None:
    pytest.importorskip("SimpleITK")
    voxels = np.arange(192, dtype=np.uint16).reshape(16, 12)
    ds = dataset("CR", voxels=voxels, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    path = write(ds, tmp_path / "source" / "a.dcm")
    volume = decode(scan(path).series[0])
    assert np.array_equal(by_simpleitk((path,), volume).voxels, volume.voxels)
