"""Objects: a perturbation for other viewers, as DICOM objects that lie over the derived series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from napari_medadv.attacks import Perturbation
from napari_medadv.dicom import Derivation, Series
from napari_medadv.dicom.alone import pydicom
from napari_medadv.dicom.objects import Verdict, parametric_map, picture, report, segmentation
from napari_medadv.errors import OutputError
from napari_medadv.measure import signed_difference


def write_objects(
    found: Perturbation, derived: Series, derivation: Derivation, panel: Path, out: Path
) -> tuple[str, ...]:
    """Write the difference, the region, the verdicts and the picture into the new folder `out`; what was left out, and why.

    They refer to the derived series, and so are as much or as little of the patient's as that is.

    Raises
    ------
    OutputError
        The folder cannot be written.
    MissingExtra
        highdicom is not installed.
    """
    labels = found.before.findings.labels
    pairs = zip(labels, found.before.probabilities.tolist(), found.after.probabilities.tolist(), strict=True)
    verdicts = [Verdict(*pair) for pair in pairs]
    made: dict[str, Callable[[], pydicom.Dataset]] = {
        "difference": lambda: _difference(found, derived, derivation),
        "verdicts": lambda: report(verdicts, derived, derivation),
        "picture": lambda: picture(_pixels(panel), derived, derivation),
    }
    region = found.threat.region.mask
    if region is not None:
        made["region"] = lambda: segmentation(region, "region of the attack", derived, derivation)
    left_out = []
    out.mkdir()
    for name, make in made.items():
        try:
            dataset = make()
        except OutputError as refusal:
            left_out.append(f"no {name}: {refusal}")
            continue
        dataset.save_as(out / f"{name}.dcm", enforce_file_format=True)
    return tuple(left_out)


def _difference(found: Perturbation, derived: Series, derivation: Derivation) -> pydicom.Dataset:
    difference = signed_difference(found.clean, found.adversarial)
    bound = difference.largest or float(found.clean.scale.quantum.max())
    values = np.asarray(difference.values)
    return parametric_map(values, difference.unit, derived, derivation, bound=bound)


def _pixels(panel: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The picture as RGB: uint8, (y, x, channel)."""
    from matplotlib.image import imread

    return np.ascontiguousarray(np.rint(imread(panel)[..., :3] * 255).astype(np.uint8))
