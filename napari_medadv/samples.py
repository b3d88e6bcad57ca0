"""The embedded samples: where they lie, in a checkout or in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from napari_medadv.errors import SeriesError


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
