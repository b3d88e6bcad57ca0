"""Objects: a perturbation for other viewers, as DICOM objects that lie over the derived series."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from napari_medadv.attacks import Perturbation
from napari_medadv.dicom import Derivation, Series
from napari_medadv.dicom.alone import pydicom
from napari_medadv.dicom.object_source import obstacle
from napari_medadv.dicom.objects import Verdict, parametric_map, picture, ready, report, segmentation
from napari_medadv.errors import MissingExtra, OutputError, system_reason
from napari_medadv.measure import signed_difference
from napari_medadv.threat import Region
from napari_medadv.volume import Bools

Kind = Literal["difference", "region", "verdicts", "picture"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""A Parametric Map, a Segmentation, a Structured Report and a Secondary Capture."""


def obstacles(found: Perturbation, series: Series) -> dict[Kind, str]:
    """The objects that cannot be made of a perturbation of this series, each with the reason; known without reading a file."""
    try:
        ready()
    except MissingExtra as missing:
        return {kind: str(missing) for kind in KINDS}
    reasons: dict[Kind, str] = {
        "difference": obstacle(series, framed=True),
        "region": obstacle(series) or _unlimited(found.threat.region),
    }
    return {kind: reason for kind, reason in reasons.items() if reason}


def write_objects(
    found: Perturbation,
    derived: Series,
    derivation: Derivation,
    panel: Path,
    out: Path,
    kinds: Collection[Kind] = KINDS,
) -> tuple[str, ...]:
    """Write the difference, the region (if any), the verdicts and the picture into the new folder `out`; what was left out, and why.

    They refer to the derived series, and so are as much or as little of the patient's as that is.

    Parameters
    ----------
    panel
        The file of the picture, drawn already where it is one of `kinds`.

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
    makers: dict[Kind, Callable[[], pydicom.Dataset]] = {
        "difference": lambda: _difference(found, derived, derivation),
        "region": lambda: segmentation(_mask(found), "region of the attack", derived, derivation),
        "verdicts": lambda: report(verdicts, derived, derivation),
        "picture": lambda: picture(_pixels(panel), derived, derivation),
    }
    left_out = []
    try:
        out.mkdir()
        for kind, make in makers.items():
            if kind not in kinds or (kind == "region" and _unlimited(found.threat.region)):
                continue
            try:
                make().save_as(out / f"{kind}.dcm", enforce_file_format=True)
            except (OSError, MissingExtra):
                raise
            except OutputError as refusal:
                left_out.append(f"no {kind}: {refusal}")
            except Exception as fault:  # highdicom raises nearly everything on a misstated attribute
                (out / f"{kind}.dcm").unlink(missing_ok=True)
                left_out.append(f"no {kind}: the header of the series does not allow it ({_short(fault)}).")
    except OSError as fault:
        raise OutputError(
            f"The objects cannot be written ({system_reason(fault)}): choose another folder or free some space."
        ) from fault
    return tuple(left_out)


def _short(fault: Exception) -> str:
    """What highdicom said, without a value of the header, which could name the patient."""
    return str(fault).splitlines()[0] if isinstance(fault, AttributeError) and str(fault) else type(fault).__name__


def _unlimited(region: Region) -> str:
    anywhere = region.mask is None and region.slices is None
    return "The attack was allowed everywhere, so there is no region." if anywhere else ""


def _mask(found: Perturbation) -> Bools:
    """Where the attack was allowed: bool, (z, y, x)."""
    region, shape = found.threat.region, found.clean.shape
    mask = np.zeros(shape, bool)
    chosen = list(region.chosen(shape))
    mask[chosen] = True if region.mask is None else region.mask[chosen]
    return mask


def _difference(found: Perturbation, derived: Series, derivation: Derivation) -> pydicom.Dataset:
    difference = signed_difference(found.clean, found.adversarial)
    bound = difference.largest or float(found.clean.scale.quantum.max())
    values = np.asarray(difference.values)
    return parametric_map(values, difference.unit, derived, derivation, bound=bound)


def _pixels(panel: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The picture as RGB: uint8, (y, x, channel)."""
    from matplotlib.image import imread

    return np.ascontiguousarray(np.rint(imread(panel)[..., :3] * 255).astype(np.uint8))
