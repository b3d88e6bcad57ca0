"""What of the successes that we report is left when another program reads the derived files.

    python -m tests.benchmarks.survival [--shipped] [--only "CT"] [--attacks pgd,fmn]

Every attack of the catalogue on slices of the embedded CT phantom around a nodule, on the embedded radiograph with fewer
pixels, and on colour photographs; from files that are not compressed, losslessly compressed, and with many frames. They
are read by a small network of random weights, or, with `--shipped`, slices and radiograph by the classifiers of the
samples, which takes an hour. The attack sees the same integers whatever the file was, so it runs once an image; each
result is saved as each source was, read by SimpleITK and shown to the classifier again. A cell says how many of the
reported successes are successes still.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from napari_medadv.attacks import Attack, Perturbation, perturb
from napari_medadv.audit.provenance import derivation_of
from napari_medadv.catalogue import entry, names
from napari_medadv.dicom import Series, decode, save, scan
from napari_medadv.dicom.compress import compress
from napari_medadv.model import Classifier
from napari_medadv.samples import SAMPLES
from napari_medadv.threat import L0, L1, L2, Budget, Conceal, Linf, Threat
from napari_medadv.threat.ball import Norm
from napari_medadv.volume import Array, Volume
from tests.benchmarks.survival_images import Image, images

SYNTAXES = {
    "none": None,
    "RLE": RLELossless,
    "JPEG lossless": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
}
HOME = "napari_medadv.attacks"
SHORT = {"queries": 600, "draws": 2, "steps": 20, "rounds": 4}
GROWING = (0.5, 4.0)
"""The budget is raised until the goal is reached: survival is of successes."""


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
        frames = ds.pixel_array if "NumberOfFrames" in ds else ds.pixel_array[None]
        ds.PixelData = encapsulate([compress(syntax, frame, ds.BitsStored) for frame in frames])
        ds["PixelData"].is_undefined_length, ds["PixelData"].VR = True, "OB"
        ds.file_meta.TransferSyntaxUID = UID(syntax)
        ds.save_as(folder / path.name)
    return folder


def by_simpleitk(files: tuple[Path, ...], like: Volume) -> Volume:
    """The volume as SimpleITK reads it, its values put back onto the stored grid.

    SimpleITK hands MONOCHROME1 over turned round, the highest storable integer for the lowest; that is turned back.
    """
    library = importlib.import_module("SimpleITK")
    if len(files) == 1:
        image: Any = library.ReadImage(str(files[0]))
        order = _frames(files[0])
    else:
        reader: Any = library.ImageSeriesReader()
        reader.SetFileNames([str(path) for path in files])
        image, order = reader.Execute(), None
    values = library.GetArrayFromImage(image).astype(np.float64).reshape(like.voxels.shape)
    values = values if order is None else values[order]
    across = (-1, *[1] * (values.ndim - 1))
    intercept, slope = like.scale.intercept.reshape(across), like.scale.slope.reshape(across)
    stored = np.rint((values - intercept) / slope)
    if like.photometric == "MONOCHROME1":
        stored = like.scale.lowest + like.scale.highest - stored
    return like.with_voxels(stored.astype(like.voxels.dtype))


def _frames(file: Path) -> Array | None:
    """The frames of a file from the feet to the head; None where they have no place."""
    groups = dcmread(file, stop_before_pixels=True).get("PerFrameFunctionalGroupsSequence")
    if not groups:
        return None
    found: Array = np.argsort([float(group.PlanePositionSequence[0].ImagePositionPatient[2]) for group in groups])
    return found


def judged(found: Perturbation, series: Series, classifier: Classifier, folder: Path) -> Survival:
    """Save what was found, read it by SimpleITK, and ask the classifier again."""
    files = save(found.adversarial, series, derivation_of(found, classifier), folder, syntax="source")
    volume = by_simpleitk(tuple(files), found.adversarial)
    same = bool(np.array_equal(volume.voxels, found.adversarial.voxels))
    after = classifier.predict(volume)
    return Survival(found.reached, same, found.threat.goal.reached(found.before, after, found.slices))


def budget(norm: Norm, epsilon: float, voxels: int) -> Budget:
    """A budget of about `epsilon` a voxel."""
    sizes: dict[Norm, Budget] = {
        "Linf": Linf(epsilon),
        "L2": L2(epsilon * voxels**0.5),
        "L1": L1(epsilon * voxels),
        "L0": L0(max(voxels // 2, 1)),
    }
    return sizes[norm]


def prepared(name: str, folder: Path, sample: str) -> Attack:
    """An attack at its defaults, with fewer queries, and what it cannot do without."""
    kind = entry(name, HOME)
    model = str(SAMPLES[0 if sample == "radiograph" else 1].model)
    needs: dict[str, dict[str, Any]] = {
        "transfer": {"surrogates": (model,)},
        "repeated": {"change": str(folder / "universal.npz")},
        "pasted": {"picture": str(folder / "patch.npz")},
        "few_pixel": {"voxels": 200},
        "universal": {"keep": str(folder / "universal.npz")},
        "patch": {"keep": str(folder / "patch.npz")},
    }
    settings: dict[str, Any] = {
        field.name: SHORT[field.name]
        for field in fields(kind)
        if field.name in SHORT and getattr(kind(), field.name) > SHORT[field.name]
    }
    if any(field.name == "arithmetic" for field in fields(kind)):
        settings["arithmetic"] = "float32"
    made: Attack = kind(**settings, **needs.get(name, {}))
    return made


def rows(
    image: Image, sample: str, chosen: list[str], folder: Path, known: dict[tuple[str, bytes], Perturbation]
) -> dict[str, tuple[int, int, int]]:
    """For each attack: how many series were reported a success, of how many, and how many are one still."""
    image.make(folder)
    sources = {
        words: scan(recompressed(folder / "source", folder / words, SYNTAXES[words]))[0] for words in image.compressions
    }
    volume = decode(sources["none"])
    for words, series in sources.items():
        assert np.array_equal(decode(series).voxels, volume.voxels), words
    classifier = image.reader(volume)
    before = classifier.predict(volume)
    assert before.slices is None or classifier.findings.present(before.slices).any(axis=1).all()
    told: dict[str, tuple[int, int, int]] = {}
    for name in chosen:
        attack = prepared(name, folder, sample)
        norm = entry(name, HOME).norms[0]
        key = (name, volume.voxels.tobytes())
        for times in () if key in known else GROWING:
            size = budget(norm, image.epsilon * times, int(volume.voxels[0].size))
            known[key] = perturb(classifier, volume, Threat(Conceal(image.label), size), attack)
            if known[key].reached:
                break
        found = known[key]
        seen = [
            judged(_of(found, series), series, classifier, folder / f"{words} {name}")
            for words, series in sources.items()
        ]
        told[name] = sum(each.reported for each in seen), len(seen), sum(each.reported and each.still for each in seen)
        apart = [words for words, each in zip(sources, seen, strict=True) if not each.same_integers]
        print(
            f"{sample}: {name} {told[name]}{' other integers: ' if apart else ''}{', '.join(apart)}",
            file=sys.stderr,
            flush=True,
        )
    return told


def _of(found: Perturbation, series: Series) -> Perturbation:
    """The same integers as a change of this series."""
    clean = decode(series)
    return replace(found, clean=clean, adversarial=clean.with_voxels(found.adversarial.voxels))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=list(images(False)), action="append")
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--attacks", default="")
    given = parser.parse_args()
    samples = {
        words: image for words, image in images(given.shipped).items() if given.only is None or words in given.only
    }
    # A surrogate must know the label, and only the shipped classifiers are files.
    every = [name for name in names(HOME) if given.shipped or name != "transfer"]
    # What one keeps, the other takes.
    chosen = sorted(
        given.attacks.split(",") if given.attacks else every, key=lambda name: name in ("repeated", "pasted")
    )
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    kept: dict[tuple[str, bytes], Perturbation] = {}
    for words, image in samples.items():
        with tempfile.TemporaryDirectory() as folder:
            found[words] = rows(image, words, chosen, Path(folder), kept)
    print(f"| attack | {' | '.join(samples)} |")
    print("|---" * (1 + len(samples)) + "|")
    for name in sorted(chosen):
        cells = [_cell(told[name]) for told in found.values()]
        print(f"| `{name}` | {' | '.join(cells)} |")
    every_cell = [cell for told in found.values() for cell in told.values()]
    print(
        f"{sum(still for _, _, still in every_cell)} of {sum(count for count, _, _ in every_cell)} reported successes survive"
    )


def _cell(told: tuple[int, int, int]) -> str:
    reported, _, still = told
    return f"{still} of {reported}" if reported else "not reached"


if __name__ == "__main__":
    main()
