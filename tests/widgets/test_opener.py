"""The window of `medadv demo`: a sample loaded, attacked and overlaid, and a picture of every dock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_medadv.attacks import perturb
from napari_medadv.attacks.pgd import PGD
from napari_medadv.display import Loaded
from napari_medadv.model import Classifier
from napari_medadv.threat import Conceal, Linf, Threat
from napari_medadv.widgets.opener import panels_of, show_demo
from napari_medadv.widgets.stage import stage_of


def test_the_demonstration_shows_and_photographs_every_dock(
    loaded: Loaded, classifier: Classifier, tmp_path: Path, qtbot: Any
) -> None:
    found = perturb(
        classifier, loaded.volume, Threat(Conceal("nodule"), Linf(9)), PGD(steps=12, arithmetic="float32"), seed=3
    )
    assert loaded.series is not None
    viewer = show_demo(loaded.series, classifier, found, pictures=tmp_path / "pictures", block=False)
    stage = stage_of(viewer)
    names = [layer.name for layer in viewer.layers]
    shown = stage.session.outcome
    pictures = {path.stem: path.stat().st_size for path in (tmp_path / "pictures").iterdir()}
    docks = set(panels_of(viewer))
    plan = panels_of(viewer)["Attack"].form.plan(loaded)
    seen = viewer.dims.current_step[0]
    viewer.close()
    assert stage.work.wait(20)
    assert names == ["CT series 3", "adversarial PGD 9", "difference"]
    assert seen == np.abs(found.adversarial.voxels.astype(int) - found.clean.voxels).sum(axis=(1, 2)).argmax()
    assert shown is not None and shown.perturbation is found
    assert (plan.attack, plan.seed, plan.threat.budget, plan.threat.goal) == (
        PGD(steps=12, arithmetic="float32"),
        3,
        Linf(9),
        Conceal("nodule"),
    )
    assert docks == {"Series", "Classifier", "Attack", "Overlay"}
    assert set(pictures) == {name.lower() for name in docks} and min(pictures.values()) > 10_000
    assert np.array_equal(found.clean.voxels, loaded.volume.voxels)
