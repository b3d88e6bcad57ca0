"""A walk through the window with one series: three planes, the letters at their edges, the value under the cursor, the scale bar.

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/walk.py FOLDER OUT

FOLDER holds one series. A picture of each plane goes to OUT, and what the window says there is printed, for a person to check.
Pictures of a patient belong to nobody else: keep OUT to yourself.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

PLANES = {"axial": (0, 1, 2), "coronal": (1, 0, 2), "sagittal": (2, 0, 1)}
PLACES = ("top_center", "bottom_center", "middle_left", "middle_right")


def main(source: Path, out: Path) -> None:
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="medadv-walk-")
    from screenshots import wait

    from napari_medadv.widgets.opener import view
    from napari_medadv.widgets.stage import stage_of

    out.mkdir(parents=True, exist_ok=True)
    viewer = view(source, block=False)
    stage = stage_of(viewer)
    wait(lambda: stage.session.loaded is not None)
    wait(lambda: not stage.work.busy)
    for plane in PLANES:
        letters, words = look(viewer, stage, plane)
        print(f"{plane}: top, bottom, left, right {' '.join(letters)}; cursor: {words}; status bar: {viewer.status}")
        viewer.screenshot(str(out / f"{plane}.png"), canvas_only=False, flash=False)
    print(f"scale bar: {viewer.canvas.overlays.scale_bar.visible}, layer in {stage.layer(stage.session.loaded).units}")
    viewer.close()
    wait(lambda: False, 0.5, strict=False)


def look(viewer: Any, stage: Any, plane: str) -> tuple[tuple[str, ...], str]:
    """Turn to the middle of a plane and point at its centre; the letters at the edges, and what is said of the voxel there."""
    from screenshots import wait

    order = PLANES[plane]
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], viewer.dims.nsteps[order[0]] // 2)
    viewer.reset_view()
    wait(lambda: False, 1.0, strict=False)
    point(viewer)
    wait(lambda: False, 1.0, strict=False)
    overlays = viewer.canvas.overlays
    letters = tuple(overlays[f"medadv_{place}"].text for place in PLACES)
    return letters, stage.session.readout


def point(viewer: Any) -> None:
    """Move the mouse over the middle of the picture, as a person would."""
    from qtpy.QtCore import QPoint
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    canvases = [each for each in QApplication.allWidgets() if "Canvas" in type(each).__name__ and each.isVisible()]
    canvas: Any = max(canvases, key=lambda each: each.width() * each.height())
    centre = QPoint(canvas.width() // 2, canvas.height() // 2)
    for step in range(4):
        QTest.mouseMove(canvas, centre + QPoint(6 - 2 * step, 0))
        QApplication.processEvents()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit((__doc__ or "").strip())
    main(Path(sys.argv[1]), Path(sys.argv[2]))
