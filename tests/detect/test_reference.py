"""Reference files that somebody else wrote, series of another length, and verdicts that stay true."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medadv.detect import Detector, Evidence, Examination, Reference, calibrate, examine, suspicious_region
from napari_medadv.detect.alignment import Alignment, direction
from napari_medadv.detect.examine import heat
from napari_medadv.detect.mirror import Mirror
from napari_medadv.detect.reference import caution, check_place, read_reference, write_reference
from napari_medadv.detect.resampling import Resampling
from napari_medadv.detect.residual import Residual
from napari_medadv.detect.suspect import suspects
from napari_medadv.errors import DetectorError, OutputError
from napari_medadv.volume import Volume
from tests.detect.scenes import classifier, volume

DETECTORS: tuple[Detector, ...] = (Mirror(), Alignment())
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def reference() -> Reference:
    return calibrate(DETECTORS, classifier("grey"), [volume("grey", seed, 64) for seed in range(40)])


def forged(reference: Reference, path: Path, change: Change) -> Path:
    """A reference that was changed by somebody who knows how its digest is made."""
    write_reference(reference, path)
    content = json.loads(json.loads(path.read_text())["content"])
    text = change(content)
    text = text if isinstance(text, str) else json.dumps(content)
    path.write_text(json.dumps({"sha256": sha256(text.encode()).hexdigest(), "content": text}))
    return path


def mirror(**more: object) -> Change:
    return lambda content: content["detectors"]["mirror"].update(more)


@pytest.mark.parametrize(
    "change",
    [
        mirror(scores=[0.0] * 20),
        mirror(scores=[]),
        mirror(scores=[[0.0] * 24] * 24),
        mirror(scores=[None] * 24),
        mirror(state={"x": {"shape": [1], "data": "AADAfw=="}}),
        lambda content: content.update(fitted=1e400),
        lambda content: content.update(slices=[1]),
        lambda content: content.update(detectors={}),
        lambda content: "[" * 100_000,
    ],
)
def test_a_forged_reference_is_refused_in_a_sentence(reference: Reference, change: Change, tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="calibrate again"):
        read_reference(forged(reference, tmp_path / "r.json", change))


def test_a_detector_whose_memory_is_lost_is_named(reference: Reference, tmp_path: Path) -> None:
    path = forged(reference, tmp_path / "r.json", lambda content: content["detectors"]["alignment"].update(state={}))
    found = examine(DETECTORS, classifier("grey"), volume("grey", 77, 64), read_reference(path))
    assert found.missing == ("alignment",) and "KeyError" in found.left_out[0]


def test_a_name_that_the_disk_refuses_is_a_sentence(reference: Reference, tmp_path: Path) -> None:
    for length in (250, 300):
        with pytest.raises(OutputError, match="shorter"):
            check_place(tmp_path / ("x" * length))
    with pytest.raises(OutputError, match="cannot be written"):
        write_reference(reference, tmp_path / ("x" * 250))


def test_the_rate_is_said_to_hold_for_series_of_that_length_only(tmp_path: Path) -> None:
    def stack(slices: int, seed: int) -> Volume:
        return replace(volume("stack", seed), voxels=np.tile(volume("stack", seed).voxels, (7, 1, 1))[:slices])

    asked = classifier("stack")
    known = calibrate([Mirror()], asked, [stack(5 + seed % 3, seed) for seed in range(19)])
    write_reference(known, tmp_path / "r.json")
    known = read_reference(tmp_path / "r.json")
    assert known.slices == (5, 7)
    assert not examine([Mirror()], asked, stack(6, 50), known).caution
    for count, why in ((60, "more frequent"), (2, "rarer")):
        found = examine([Mirror()], asked, stack(count, 50), known)
        assert "5 to 7 slices, and this one has" in found.caution and why in found.caution
        assert found.caution in found.sentence
    assert caution(known, stack(6, 50)) == caution(replace(known, slices=None), stack(60, 50)) == ""


def test_a_detector_counts_once(reference: Reference) -> None:
    with pytest.raises(DetectorError, match="named twice"):
        examine((Mirror(), Mirror()), classifier("grey"), volume("grey", 77, 64), reference)


@pytest.mark.parametrize("detector", [Residual(), Resampling()])
@pytest.mark.parametrize("size", [1, 2])
def test_slices_too_small_for_a_detector_are_refused(detector: Detector, size: int) -> None:
    with pytest.raises(DetectorError, match="are smaller"):
        calibrate([detector], classifier("stack"), [volume("stack", seed, size) for seed in range(5)])


def test_the_map_shows_where_detail_speaks_against_the_decision(reference: Reference) -> None:
    asked, state = classifier("grey"), reference.learnt["alignment"].state
    clean = volume("grey", 70, 64)
    before = next(iter(suspects(asked, clean)))
    signs = direction(before, before.values, before.presence(before.values) > 0)[0, 0, 0].numpy()
    voxels = clean.voxels.copy()
    voxels[0, 8:32, 8:32] -= (10 * signs[8:32, 8:32]).astype(np.int16)
    after = clean.with_voxels(voxels)
    assert float(Alignment().agreement(next(iter(suspects(asked, after))))) < float(state["middle"][0])
    where = heat(Alignment(), state, asked, after)
    assert where is not None
    highest = where[0] >= np.partition(where.ravel(), -41)[-41]
    assert highest[8:32, 8:32].mean() > 2 * highest.mean()


def test_a_map_that_sees_nothing_is_no_region() -> None:
    sure, blind = Evidence("mirror", 9.0, 0.01, 99, 1.0, (0,)), Evidence("alignment", 0.1, 0.61, 99, 0.2, (0,))
    shown = replace(blind, where=np.ones((1, 8, 8), np.float32))
    found = Examination((sure, shown), 0.01, 0.05, (0.0, 0.1), (), ())
    with pytest.raises(DetectorError, match=r"alignment, which can, sees nothing by itself \(p = 0.610"):
        suspicious_region(found)
    assert suspicious_region(replace(found, evidence=(sure, replace(shown, p=0.02))))[0].any()
