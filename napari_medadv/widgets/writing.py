"""Writer: an adversarial layer as a derived DICOM series; nothing else, because nothing else knows its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_medadv.display import KEY, Outcome
from napari_medadv.display.layers import SHOWN
from napari_medadv.errors import OutputError
from napari_medadv.widgets.saving import save_outcome


def write_image(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write the series into the folder `path` without its ending; the files written.

    What is written is the judged series behind the layer, not the pixels that the layer shows.

    Raises
    ------
    OutputError
        The layer is no adversarial series made here, or cannot be written there.
    """
    noun = meta.get("metadata", {}).get(KEY)
    if not isinstance(noun, Outcome) or data is not meta["metadata"].get(SHOWN):
        raise OutputError(
            f"The layer {meta.get('name', '')!r} is no adversarial series made from DICOM here, or its pixels were changed since: "
            "run an attack in the dock Attack and save its layer."
        )
    return [str(file) for file in save_outcome(noun, Path(path).with_suffix("")).files]
