"""No stored voxel breaks the budget, the stored range, the region or the padding, whatever the file looks like."""

from typing import Any, Literal

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_medadv.attacks import Attack, Perturbation, perturb
from napari_medadv.attacks.fgsm import FGSM
from napari_medadv.attacks.noise import Noise
from napari_medadv.attacks.pgd import PGD
from napari_medadv.errors import RegionError, VacuousBudget
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.threat import L2, Budget, Confuse, Linf, Region, Threat
from napari_medadv.volume import Scale, Volume

DTYPES = [np.uint8, np.int8, np.uint16, np.int16]


@st.composite
def scales(draw: st.DrawFn, slices: int) -> tuple[Scale, np.dtype[Any]]:
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    bits = draw(st.integers(5, dtype.itemsize * 8))
    signed = dtype.kind == "i"
    lowest, highest = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    count = draw(st.sampled_from([1, slices]))
    slope = draw(st.lists(st.floats(1e-3, 20), min_size=count, max_size=count))
    sign = draw(st.sampled_from([1, -1]))
    intercept = draw(st.lists(st.floats(-5000, 5000), min_size=count, max_size=count))
    padding = None
    if draw(st.booleans()):
        low = draw(st.integers(lowest, highest))
        padding = (low, min(low + draw(st.integers(0, 6)), highest))
    return Scale("HU", lowest, highest, sign * np.array(slope), np.array(intercept), padding), dtype


@st.composite
def cases(draw: st.DrawFn) -> tuple[Classifier, Volume, Threat, Attack, int]:
    slices = draw(st.integers(1, 3))
    scale, dtype = draw(scales(slices))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (slices, 5, 6, 3) if draw(st.booleans()) else (slices, 5, 6)
    voxels = rng.integers(scale.lowest, scale.highest, shape, dtype=np.int64, endpoint=True)
    edge = rng.random(shape)
    voxels[edge < 0.1], voxels[edge > 0.9] = scale.lowest, scale.highest
    if scale.padding is not None:
        voxels[(edge > 0.4) & (edge < 0.6)] = scale.padding[1]
    volume = Volume(voxels.astype(dtype), np.eye(4), scale)
    mask = rng.random(volume.shape) < 0.5 if draw(st.booleans()) else None
    chosen = tuple(sorted(draw(st.sets(st.integers(0, slices - 1), min_size=1)))) if draw(st.booleans()) else None
    epsilon = float(scale.quantum.min()) * draw(st.floats(1, 60))
    budgets: list[Budget] = [Linf(epsilon), L2(epsilon)]
    threat = Threat(Confuse(), draw(st.sampled_from(budgets)), Region(mask, chosen))
    ways: list[Literal["slices", "volume"]] = ["slices", "volume"]
    reads = draw(st.sampled_from(ways))
    sides = int(np.prod(shape[1:])) * (1 if reads == "slices" else slices)
    weight = torch.from_numpy(rng.standard_normal((sides, 2)).astype(np.float32))

    def network(values: torch.Tensor) -> torch.Tensor:
        return values.flatten(1) @ weight

    classifier = Classifier(network, Findings(("a", "b"), "softmax"), "HU", reads, batch=draw(st.integers(1, 3)))
    attacks: list[Attack] = [
        PGD(steps=4, confidence=float("inf")),
        PGD(steps=3, start="clean"),
        FGSM(),
        Noise(),
        Noise(2, "uniform"),
    ]
    attack = draw(st.sampled_from(attacks))
    return classifier, volume, threat, attack, draw(st.integers(0, 3))


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_no_stored_voxel_breaks_a_promise(case: tuple[Classifier, Volume, Threat, Attack, int]) -> None:
    classifier, volume, threat, attack, seed = case
    try:
        found = perturb(classifier, volume, threat, attack, seed=seed)
    except (RegionError, VacuousBudget):
        return
    check_promises(found, per_slice=classifier.reads == "slices")


def check_promises(found: Perturbation, *, per_slice: bool) -> None:
    clean, other = found.clean.voxels.astype(np.int64), found.adversarial.voxels.astype(np.int64)
    scale, threat = found.clean.scale, found.threat
    steps = other - clean
    change = steps * np.resize(scale.slope, len(clean)).reshape(-1, *[1] * (clean.ndim - 1))
    entries = change.reshape(len(change) if per_slice else 1, -1)
    sizes = np.abs(entries).max(axis=1) if isinstance(threat.budget, Linf) else np.sqrt((entries**2).sum(axis=1))
    assert (sizes <= threat.budget.epsilon * (1 + 1e-6)).all(), "budget"
    assert (other >= scale.lowest).all() and (other <= scale.highest).all(), "stored range"
    padding, after = found.clean.padding, found.adversarial.padding
    assert np.array_equal(padding, after) and not steps[padding].any(), "padding"
    untouched = np.setdiff1d(np.arange(len(clean)), found.slices)
    assert not steps[untouched].any(), "slices"
    if threat.region.mask is not None:
        assert not steps[~threat.region.mask].any(), "region"
