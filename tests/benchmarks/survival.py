"""What of the successes that we report is left when another program reads the derived files.

`python tests/benchmarks/survival.py [--sample radiograph|ct_phantom]` attacks the embedded samples by several attacks, from
sources that are not compressed and from losslessly compressed ones; every derived series is read by SimpleITK and shown
to the classifier again.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless, RLELossless

from napari_medadv.attacks import Attack, Perturbation, perturb
from napari_medadv.audit.provenance import derivation_of
from napari_medadv.catalogue import entry
from napari_medadv.dicom import Series, decode, save, scan
from napari_medadv.dicom.compress import compress
from napari_medadv.model import Classifier, load_classifier
from napari_medadv.samples import SAMPLES
from napari_medadv.threat import L0, L1, L2, Budget, Conceal, Linf, Region, Threat
from napari_medadv.volume import Volume

SYNTAXES = {"none": None, "RLE": RLELossless, "JPEG-LS": JPEGLSLossless, "JPEG 2000": JPEG2000Lossless}
ATTACKS: dict[str, dict[str, Any]] = {
    "fgsm": {},
    "pgd": {"steps": 10},
    "apgd": {"steps": 10},
    "fmn": {"steps": 10},
    "ddn": {"steps": 10},
    "pdpgd": {"steps": 20},
    "sigma_zero": {"steps": 20},
    "square": {"queries": 60},
}
NORMS = {"ddn": "L2", "pdpgd": "L1", "sigma_zero": "L0"}


@dataclass(frozen=True)
class Survival:
    """One result: whether it was reported as a success, and whether it is one in another program's eyes."""

    reported: bool
    same_integers: bool
    still: bool


def recompressed(source: Path, folder: Path, syntax: str | None) -> Path:
    """A copy of a series in another lossless transfer syntax; the source itself where none is named."""
    if syntax is None:
        return source
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    folder.mkdir(parents=True)
    for path in files:
        ds = dcmread(path)
        ds.PixelData = encapsulate([compress(syntax, ds.pixel_array)])
        ds["PixelData"].is_undefined_length, ds["PixelData"].VR = True, "OB"
        ds.file_meta.TransferSyntaxUID = UID(syntax)
        ds.save_as(folder / path.name)
    return folder


def by_simpleitk(files: tuple[Path, ...], like: Volume) -> Volume:
    """The volume as SimpleITK reads it, its values put back onto the stored grid.

    SimpleITK hands MONOCHROME1 over turned round, the highest storable integer for the lowest; that is turned back.
    """
    library = importlib.import_module("SimpleITK")
    reader: Any = library.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in files])
    values = library.GetArrayFromImage(reader.Execute()).astype(np.float64)
    intercept, slope = like.scale.intercept.reshape(-1, 1, 1), like.scale.slope.reshape(-1, 1, 1)
    stored = np.rint((values - intercept) / slope)
    if like.photometric == "MONOCHROME1":
        stored = like.scale.lowest + like.scale.highest - stored
    return like.with_voxels(stored.astype(like.voxels.dtype))


def judged(found: Perturbation, series: Series, classifier: Classifier, folder: Path) -> Survival:
    """Save what was found, read it by SimpleITK, and ask the classifier again."""
    files = save(found.adversarial, series, derivation_of(found, classifier), folder, syntax="source")
    volume = by_simpleitk(tuple(files), found.adversarial)
    same = bool(np.array_equal(volume.voxels, found.adversarial.voxels))
    after = classifier.predict(volume)
    return Survival(found.reached, same, found.threat.goal.reached(found.before, after, found.slices))


def budget(norm: str, epsilon: float, voxels: int) -> Budget:
    """Ample budgets, so that most attacks succeed: survival is of successes."""
    sizes: dict[str, Budget] = {
        "Linf": Linf(epsilon),
        "L2": L2(epsilon * voxels**0.5),
        "L1": L1(epsilon * voxels),
        "L0": L0(max(voxels // 4, 1)),
    }
    return sizes[norm]


def runs(name: str, folder: Path) -> None:
    """Print a row for each source compression and attack of one sample."""
    (sample,) = (sample for sample in SAMPLES if sample.name == name)
    source = sample.series(folder / "source")
    classifier = load_classifier(sample.model)
    reported = survived = 0
    for words, syntax in SYNTAXES.items():
        (series,) = scan(recompressed(source, folder / words, syntax)).series
        volume = decode(series)
        before = classifier.predict(volume)
        place = before.findings.index(sample.conceal)
        seen = [0] if before.slices is None else np.argsort(-before.slices[:, place])[:4].tolist()
        chosen = Region(slices=tuple(sorted(int(row) for row in seen)))
        for attack_name, settings in ATTACKS.items():
            attack: Attack = entry(attack_name, "napari_medadv.attacks")(**settings)
            norm = NORMS.get(attack_name, "Linf")
            threat = Threat(Conceal(sample.conceal), budget(norm, sample.epsilon, int(volume.voxels[0].size)), chosen)
            found = perturb(classifier, volume, threat, attack)
            told = judged(found, series, classifier, folder / f"{words} {attack_name}")
            reported, survived = reported + told.reported, survived + (told.reported and told.still)
            print(
                f"{name:12s} source {words:10s} {attack_name:11s} {norm:5s} reported {told.reported!s:6s} "
                f"same integers {told.same_integers!s:6s} still a success {told.still}",
                flush=True,
            )
    print(f"{name}: {survived} of {reported} reported successes survive")


def main() -> None:
    """Print the table of the samples that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", choices=[sample.name for sample in SAMPLES], action="append")
    given = parser.parse_args()
    for name in given.sample or [sample.name for sample in SAMPLES]:
        with tempfile.TemporaryDirectory() as folder:
            runs(name, Path(folder))


if __name__ == "__main__":
    main()
