"""The embedded samples: a real radiograph and a CT phantom, each with a classifier that was trained for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from napari_medadv.errors import MissingExtra, SeriesError


@dataclass(frozen=True, slots=True)
class Sample:
    """A series, a classifier of it, and an attack that turns it.

    Attributes
    ----------
    name
        For a folder.
    series
        Gives the path of the series; what has to be generated is written into the folder that it is given.
    classifier
        The folder of the classifier under `sample_data`.
    conceal
        The finding that the attack hides.
    epsilon
        How far no voxel goes beyond, in the unit of the series.
    """

    name: str
    series: Callable[[Path], Path]
    classifier: str
    conceal: str
    epsilon: float

    @property
    def model(self) -> Path:
        """The folder of weights and card."""
        return sample_data() / self.classifier


def sample_data() -> Path:
    """The folder `sample_data`.

    Raises
    ------
    SeriesError
        The installation came without it.
    """
    package = Path(__file__).parent
    for folder in (package / "sample_data", package.parent / "sample_data"):
        if folder.is_dir():
            return folder
    raise SeriesError(
        "The sample data is not part of this installation: install the wheel, or run from a checkout of the repository."
    )


def radiograph_file() -> Path:
    """RG1_UNCR.dcm of pydicom-data, a chest radiograph with several round opacities; nothing is downloaded.

    Raises
    ------
    MissingExtra
        pydicom-data is not installed.
    """
    from napari_medadv.dicom.alone import pydicom

    found = pydicom.data.get_testdata_file("RG1_UNCR.dcm", download=False)
    if found is None:
        raise MissingExtra("pydicom-data", "samples", "The sample radiograph")
    return Path(str(found))


def _radiograph(folder: Path) -> Path:
    return radiograph_file()


def phantom_series(folder: Path, seed: int = 1) -> Path:
    """A procedural chest CT with nodules, 64 slices of 256 x 256, written as DICOM into `folder`; the same seed gives the same bytes."""
    from napari_medadv.dicom.synthetic import write_series
    from napari_medadv.phantom import chest_ct

    spacing = (4.0, 1.4, 1.4)
    voxels, _ = chest_ct(seed, (64, 256, 256), spacing)
    write_series(folder, voxels, spacing, key=f"chest phantom {seed}")
    return folder


SAMPLES = (
    Sample("radiograph", _radiograph, "cxr_classifier", "pneumonia", 300.0),
    Sample("ct_phantom", phantom_series, "nodule_classifier", "nodule", 12.0),
)
