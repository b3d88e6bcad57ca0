"""The longest gap of the event loop while a series is loaded and browsed, and while an attack runs and slices are scrolled.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/heartbeat.py [--slices 32] [--side 256] [--steps 20]
        [--load 1000 [--share 0]]

A 10 ms timer beats in a real window: idle, scrolling, and scrolling during an attack in the dock; or, with --load, while the
Series dock reads a folder of so many slices of 512 x 512, and while they are browsed in all three planes. Every gap is given as
seen, and less the time for which this thread waited for a processor (Linux only), which is other programs' doing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np


def toy(slices: int, side: int) -> tuple[Any, Any]:
    """A CT of noise, and an untrained network that finds something in it."""
    import torch
    from torch import nn

    from napari_medadv.display import Loaded
    from napari_medadv.model import attach
    from napari_medadv.volume import Scale, Volume, Window

    voxels = np.random.default_rng(0).normal(-400, 200, (slices, side, side)).astype(np.int16)
    affine = np.diag([2.5, 0.8, 0.8, 1.0])[[2, 1, 0, 3]]
    volume = Volume(voxels, affine, Scale("HU", -2048, 4095), (Window(-600, 1500),), modality="CT")
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    last = nn.Linear(32, 1)
    nn.init.constant_(last.bias, 10.0)
    for before, after in ((1, 16), (16, 32), (32, 32)):
        layers += [nn.Conv2d(before, after, 3, padding=1, stride=2), nn.ReLU()]
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)
    steps = [{"step": "window", "center": -600, "width": 1500}]
    return Loaded(volume), attach(
        network, labels=["nodule"], activation="sigmoid", unit="HU", preprocess=steps, input=[1, side, side]
    )


class Heart:
    """Beats every 10 ms and keeps the gaps in ms."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.gaps: list[tuple[float, float]] = []
        self._last = (time.perf_counter(), waited())
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(10)
        self.timer.timeout.connect(self.beat)
        self.timer.start()

    def beat(self) -> None:
        now = (time.perf_counter(), waited())
        gap = 1000 * (now[0] - self._last[0])
        self.gaps.append((gap, gap - 1000 * (now[1] - self._last[1])))
        self._last = now

    def take(self) -> str:
        raw, own = np.array(self.gaps).T
        self.gaps = []
        return (
            f"longest gap {raw.max():6.0f} ms, less waiting for a processor {own.max():6.0f} ms; "
            f"99 % below {np.percentile(own, 99):4.0f} ms, median {np.median(own):3.0f} ms ({len(raw)} beats)"
        )


def waited() -> float:
    """Seconds that this thread has waited for a processor so far; 0 where the system does not tell."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def loading(viewer: Any, stage: Any, panel: Any, count: int) -> None:
    """Read a folder in the dock, wait for the badges, browse."""
    from qtpy.QtWidgets import QApplication

    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.benchmarks.making import series

    def live(seconds: float, until: Any = lambda: False, step: Any = None) -> None:
        end, turn = time.monotonic() + seconds, 0.0
        while time.monotonic() < end and not until():
            QApplication.processEvents()
            time.sleep(0.001)
            if step is not None and time.monotonic() - turn > 0.05:
                turn = time.monotonic()
                step()

    with tempfile.TemporaryDirectory(prefix="medadv-heartbeat-") as folder:
        series(Path(folder) / "series", count)
        heart = Heart()
        live(3)
        heart.take()
        live(4)
        print("idle                  ", heart.take(), flush=True)
        start = time.monotonic()
        panel.open(Path(folder) / "series")
        live(600, lambda: panel.list.count())
        print(f"reading {count} headers  ", heart.take(), f"{time.monotonic() - start:.1f} s", flush=True)
        start = time.monotonic()
        live(600, lambda: stage.session.loaded is not None)
        live(0.2)
        print("loading the pixels    ", heart.take(), f"{time.monotonic() - start:.1f} s", flush=True)
        start = time.monotonic()
        live(600, lambda: not stage.work.busy)
        print("checking signatures   ", heart.take(), f"{time.monotonic() - start:.1f} s", flush=True)
        before, start = stage.session.loaded, time.monotonic()
        viewer.layers.clear()
        panel.load()
        live(600, lambda: stage.session.loaded not in (before, None))
        live(0.2)
        print("loading it again      ", heart.take(), f"{time.monotonic() - start:.1f} s", flush=True)
        live(600, lambda: not stage.work.busy)
        for name, order in (("axial", (0, 1, 2)), ("coronal", (1, 0, 2)), ("sagittal", (2, 0, 1))):
            viewer.dims.order = order
            viewer.reset_view()
            live(0.5)
            heart.take()
            places = iter(range(0, viewer.dims.nsteps[order[0]], 3))
            live(6, step=lambda places=places, axis=order[0]: viewer.dims.set_current_step(axis, next(places, 0)))
            print(f"browsing {name:<13}", heart.take(), flush=True)
        heart.timer.stop()
        stage.close()
        viewer.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("--slices", 32), ("--side", 256), ("--steps", 20), ("--load", 0)):
        asked.add_argument(name, type=int, default=default)
    asked.add_argument("--share", help="of the memory that the volume may take (0: always a file)")
    given = asked.parse_args()
    if given.share is not None:
        os.environ["MEDADV_MEMORY_SHARE"] = given.share
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="medadv-heartbeat-")
    from qtpy.QtWidgets import QApplication, QSpinBox

    from napari_medadv.widgets.opener import panels_of, view
    from napari_medadv.widgets.stage import stage_of

    viewer = view(block=False)
    stage, attack = stage_of(viewer), panels_of(viewer)["Attack"]
    if given.load:
        loading(viewer, stage, panels_of(viewer)["Series"], given.load)
        return
    loaded, classifier = toy(given.slices, given.side)
    stage.show(loaded)
    heart = Heart()

    def live(seconds: float, *, scroll: bool, until: Any = lambda: False) -> None:
        end, turn, index = time.monotonic() + seconds, 0.0, 0
        while time.monotonic() < end and not until():
            QApplication.processEvents()
            time.sleep(0.001)
            if scroll and time.monotonic() - turn > 0.05:
                turn, index = time.monotonic(), (index + 1) % given.slices
                viewer.dims.set_current_step(0, index)

    live(3, scroll=False)
    heart.take()
    live(4, scroll=False)
    print("idle                  ", heart.take(), flush=True)
    live(6, scroll=True)
    print("scrolling             ", heart.take(), flush=True)
    stage.session.attach(classifier)
    live(60, scroll=False, until=lambda: stage.session.prediction is not None)
    attack.form.settings.findChild(QSpinBox, "steps").setValue(given.steps)
    attack.form.budget.epsilon.set_number(1.0)
    attack.run()
    heart.take()
    start = time.monotonic()
    live(300, scroll=True, until=lambda: bool(attack.message.text()))
    print("scrolling in an attack", heart.take(), flush=True)
    from qtpy.QtGui import QTextDocument

    document = QTextDocument()
    document.setHtml(attack.message.text())
    print(f"the attack took {time.monotonic() - start:.1f} s: {' | '.join(document.toPlainText().splitlines())}")
    live(2, scroll=False)
    print("showing its result    ", heart.take(), flush=True)
    stage.close()
    viewer.close()


if __name__ == "__main__":
    main()
