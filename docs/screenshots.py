"""Take the pictures of the documentation: every dock in use, in the window as it opens, in both themes.

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py [FOLDER [radiograph|ct|further]]

Needs pydicom-data (the extra `samples`). Everything shown is real: the window, the series, the classifiers, the attack; only
the archive is a folder on this machine that answers as one.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="medadv-pictures-")
    folder.mkdir(parents=True, exist_ok=True)
    for sample in (radiograph, ct, further):
        if sample.__name__ in (sys.argv[2:] or ["radiograph", "ct", "further"]):
            sample(folder)


def radiograph(folder: Path) -> None:
    """Two ellipses are drawn over the lungs, and only there the pneumonia is concealed."""
    viewer, stage, docks = opened("radiograph", "Chest radiograph: pneumonia")
    stage.session.truth = {"no finding": False, "pneumonia": True}
    region(viewer, stage.layer(stage.session.loaded))
    docks["Attack"].form.region.layer.setCurrentText("lungs")
    attack(stage, docks)
    for theme in ("dark", "light"):
        viewer.theme = theme
        for name in ("Series", "Classifier", "Attack", "Overlay"):
            picture(viewer, docks[name], folder / f"radiograph_{name.lower()}_{theme}.png")
    close(viewer)


def ct(folder: Path) -> None:
    """A nodule of the phantom is concealed in the nine slices around it; one picture is taken under way."""
    viewer, stage, docks = opened("ct_phantom", "Chest CT phantom: nodule")
    stage.session.truth = {"nodule": True}
    stage.go(int(stage.session.prediction.slices[:, 0].argmax()))
    place = docks["Attack"].form.region
    place.slices.setCurrentIndex(2)
    place.first.setValue(max(0, stage.session.index - 4))
    place.last.setValue(stage.session.index + 4)
    docks["Attack"].form.budget.epsilon.setValue(12)
    docks["Attack"].run()
    wait(lambda: docks["Attack"].bar.value() > 300 or not stage.work.busy)
    from napari_medadv.widgets.commands import bring

    bring(docks["Attack"])
    for _ in range(30):
        wait(lambda: False, 0.01, strict=False)
    viewer.screenshot(str(folder / "ct_attack_running.png"), canvas_only=False, flash=False)
    slimmed(folder / "ct_attack_running.png")
    wait(lambda: stage.session.outcome is not None)
    wait(lambda: not stage.work.busy)
    for theme in ("dark", "light"):
        viewer.theme = theme
        for name in ("Series", "Classifier", "Attack", "Overlay"):
            picture(viewer, docks[name], folder / f"ct_{name.lower()}_{theme}.png")
    close(viewer)


def further(folder: Path) -> None:
    """The docks that are opened when they are asked for, on the phantom."""
    from napari_medadv.dicom.baseline import record
    from napari_medadv.widgets.commands import FURTHER, show

    viewer, stage, docks = opened("ct_phantom", "Chest CT phantom: nodule")
    docks |= {name: show(viewer, name) for name in FURTHER}
    aside = Path(tempfile.mkdtemp(prefix="medadv-pictures-"))
    record(stage.session.loaded.series.root, aside / "phantom.ledger")
    docks["Provenance"].ledger.set_path(aside / "phantom.ledger")
    docks["Provenance"].verify()
    docks["Examine"].run()
    docks["Archive"].archive = lambda: Shelf(stage.session.loaded.series)
    docks["Archive"].address.setText("http://archive.example/dicom-web")
    docks["Archive"].search()
    wait(lambda: docks["Archive"].list.topLevelItemCount() > 0)
    docks["Archive"].list.setCurrentItem(docks["Archive"].list.topLevelItem(0))
    wait(lambda: not stage.work.busy)
    for theme in ("dark", "light"):
        viewer.theme = theme
        for name in FURTHER:
            picture(viewer, docks[name], folder / f"ct_{name.lower()}_{theme}.png")
    close(viewer)


class Shelf:
    """An archive of one series."""

    def __init__(self, series: Any) -> None:
        self.series = series

    def search(self, study_uid: str = "", modality: str = "") -> tuple[Any, ...]:
        from napari_medadv.dicom.remote import RemoteSeries

        found = self.series
        return (
            RemoteSeries(
                found.uid, found.study_uid, found.modality, found.description, found.number, len(found.instances)
            ),
        )


def opened(sample: str, model: str) -> tuple[Any, Any, dict[str, Any]]:
    """A viewer with a sample and its classifier, and what the classifier says."""
    from napari_medadv.widgets.opener import panels_of, view
    from napari_medadv.widgets.sample_images import sample_path
    from napari_medadv.widgets.stage import stage_of

    viewer = view(sample_path(sample), model, block=False)
    stage = stage_of(viewer)
    wait(lambda: stage.session.prediction is not None)
    return viewer, stage, panels_of(viewer)


def attack(stage: Any, docks: dict[str, Any]) -> None:
    """Press the button, and wait for everything that follows."""
    docks["Attack"].run()
    wait(lambda: stage.session.outcome is not None)
    wait(lambda: not stage.work.busy)


def close(viewer: Any) -> None:
    viewer.close()
    wait(lambda: False, 0.5, strict=False)


def region(viewer: Any, image: Any) -> None:
    """Draw an ellipse over each lung, as a person would, and hide the drawing again."""
    rows, columns = image.data.shape[1:]
    boxes = [((0.12, 0.06), (0.82, 0.44)), ((0.12, 0.55), (0.82, 0.93))]
    corners = [
        [[0, y * rows, x * columns] for y, x in ((top, left), (top, right), (bottom, right), (bottom, left))]
        for (top, left), (bottom, right) in boxes
    ]
    place = {"scale": image.scale, "affine": image.affine, "units": image.units, "axis_labels": image.axis_labels}
    viewer.add_shapes(corners, shape_type="ellipse", name="lungs", edge_width=8, face_color="#00000000", **place)
    viewer.layers.selection.active = image
    viewer.layers["lungs"].visible = False


def picture(viewer: Any, panel: Any, path: Path) -> None:
    """Photograph one dock."""
    from napari_medadv.widgets.photograph import photograph

    photograph(viewer, panel, path)
    slimmed(path)


def slimmed(path: Path) -> None:
    """Keep a picture in 256 colours: half the size, and nobody sees it."""
    from PIL import Image

    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def wait(condition: Any, seconds: float = 300.0, *, strict: bool = True) -> None:
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            if strict:
                raise SystemExit("The window did not come as far as expected.")
            return
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures")
