"""A walk through the window: three planes with their letters, the head and the front up, HU in the status bar, millimetres."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_medadv.display import Loaded
from napari_medadv.volume import Scale, Volume, Window
from napari_medadv.widgets.stage import stage_of

PLACES = ("top_center", "bottom_center", "middle_left", "middle_right")
PLANES = {"axial": ((0, 1, 2), "APRL"), "coronal": ((1, 0, 2), "SIRL"), "sagittal": ((2, 0, 1), "SIAP")}


@pytest.fixture
def walked() -> Loaded:
    """A CT of which the voxel (z, y, x) holds 100 z + 10 y + x - 500 HU: what lies where can be read from the value."""
    z, y, x = np.mgrid[:8, :10, :6]
    affine = np.array([[0, 0, 0.5, -10], [0, 0.75, 0, -20], [2.5, 0, 0, 30], [0, 0, 0, 1]])
    scale = Scale("HU", 0, 4095, intercept=np.array([-500.0]))
    return Loaded(Volume((100 * z + 10 * y + x).astype(np.int16), affine, scale, (Window(0, 800),), modality="CT"))


@pytest.mark.parametrize("plane", PLANES)
def test_the_letters_are_true_of_what_lies_there(viewer: Any, walked: Loaded, plane: str) -> None:
    stage = stage_of(viewer)
    stage.show(walked)
    order, letters = PLANES[plane]
    viewer.dims.order = order
    assert "".join(viewer.canvas.overlays[f"medadv_{place}"].text for place in PLACES) == letters
    layer, (_, vertical, horizontal) = stage.layer(walked), viewer.scene.camera.orientation
    centre = np.array([4.0, 4.0, 3.0])
    rows, columns = viewer.dims.displayed
    for axis, way, ends in ((rows, vertical == "up", letters[:2]), (columns, horizontal == "left", letters[2:])):
        world = layer.data_to_world(centre)
        step = np.zeros(3)
        step[axis] = -1 if way else 1
        further = layer.world_to_data(np.asarray(world) + step)
        moved = walked.volume.affine[:3, :3] @ (further - centre)
        side = dict(zip("LPS", moved, strict=True)) | dict(zip("RAI", -moved, strict=True))
        assert side[ends[1]] > 0, f"{plane}: {ends[1]} does not lie where it is written"


def test_the_status_bar_tells_hu_and_place(viewer: Any, walked: Loaded) -> None:
    stage = stage_of(viewer)
    stage.show(walked)
    layer = stage.layer(walked)
    place = layer.data_to_world((4, 5, 2))
    stage.point_at(viewer, type("Event", (), {"position": place})())
    viewer.cursor.position = place
    viewer.status = layer.get_status(place, world=True)
    assert viewer.status["coordinates"] == "-48 HU   R 9.0  A 16.2  S 40.0 mm"
    assert "-48" in viewer.status["value"] and viewer.status["layer_base"] == walked.name
    viewer.status = "Ready"
    assert viewer.status == "Ready"
    other = viewer.add_image(np.zeros((8, 10, 6)))
    viewer.status = other.get_status(place, world=True)
    assert "HU" not in viewer.status["coordinates"]


def test_the_scale_bar_is_in_millimetres(viewer: Any, walked: Loaded) -> None:
    stage = stage_of(viewer)
    stage.show(walked)
    assert viewer.canvas.overlays.scale_bar.visible
    assert [str(unit) for unit in stage.layer(walked).units] == ["millimeter"] * 3
    assert np.allclose(stage.layer(walked).scale, (2.5, 0.75, 0.5))
