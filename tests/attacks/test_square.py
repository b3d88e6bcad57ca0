"""Square paints its squares onto the best values so far, and takes back what does not help."""

import pytest
import torch
from torch import Tensor, nn

from napari_medadv.attacks import draw
from napari_medadv.attacks.cube import hold
from napari_medadv.attacks.plain import fool, plain_task
from napari_medadv.attacks.square import Square
from napari_medadv.attacks.tally import Tally
from napari_medadv.catalogue import entry
from napari_medadv.threat import L0, Linf


def network(classes: int = 3) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        made = nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(36, classes)
        )
    return made.eval().requires_grad_(False)


def images(count: int) -> Tensor:
    return torch.randint(256, (count, 2, 12, 14), generator=torch.Generator().manual_seed(3)) / 255


def test_corners_and_windows_are_the_same_squares() -> None:
    values = torch.zeros(4, 2, 1, 9, 7)
    masks = draw.windows(values, 3, torch.Generator().manual_seed(1))
    for mask, (z, y, x) in zip(masks, draw.corners(values, 3, torch.Generator().manual_seed(1)), strict=True):
        assert int(mask.sum()) == 9 and bool(mask[0, z, y, x].all())


def test_a_query_differs_from_the_best_so_far_by_one_square_at_the_edge_of_the_budget() -> None:
    seen: list[Tensor] = []
    made, clean = network(), images(1)

    def listening(values: Tensor) -> Tensor:
        seen.append(values.clone())
        found: Tensor = made(values)
        return found

    labels = made(clean).argmax(dim=1)
    epsilon = 8 / 255
    found = fool(listening, clean, labels, Square(40, confidence=1e9), Linf(epsilon), levels=256)
    task = plain_task(made, clean, labels, Linf(epsilon), False, (0.0, 1.0), 256, 1, 0, Tally())
    low, high = (hold(task).stored(task.clean + way * epsilon)[0, :, 0] for way in (-1, 1))
    queries = [values[0] for values in seen[2:42]]
    margins = [float(task.margin(values[None, :, None])) for values in queries]
    best = queries[0]
    for count, values in enumerate(queries[1:], start=1):
        assert bool(((values == low) | (values == high)).all())
        changed = (values != best).any(dim=0).nonzero()
        spans = changed.amax(dim=0) - changed.amin(dim=0) + 1 if len(changed) else torch.tensor([1, 1])
        assert int(spans.max()) <= Square(40)._side(task.clean, count)
        if margins[count] > max(margins[:count]):
            best = values
    assert torch.allclose(found[0], best, atol=1e-6)


def test_entries_that_rest_keep_what_fooled_them() -> None:
    made, clean = network(), images(6)
    labels = made(clean).argmax(dim=1)
    found = fool(made, clean, labels, Square(200), Linf(0.08), levels=256, batch=2)
    task = plain_task(made, clean, labels, Linf(0.08), False, (0.0, 1.0), 256, 2, 0, Tally())
    assert torch.allclose(found, task.stored(found.unsqueeze(2)).squeeze(2), atol=1e-6)
    fooled = made(found).argmax(dim=1) != labels
    assert 0 < int(fooled.sum())
    assert bool((task.margin(found.unsqueeze(2)) >= task.margin(task.clean)).all())


@pytest.mark.parametrize("name", ["simba", "square", "sparse_rs", "nes"])
def test_an_input_that_is_wrong_already_rests_and_the_others_go_on(name: str) -> None:
    """As a surrogate that errs where the victim does not."""
    inputs = torch.full((3, 1, 4, 4), 0.4)
    inputs[1] = 0.6

    def mean(values: Tensor) -> Tensor:
        height = 20 * (values.flatten(1).mean(1) - 0.5)
        return torch.stack([-height, height], 1)

    budget = L0(16) if name == "sparse_rs" else Linf(0.3)
    labels = torch.zeros(3, dtype=torch.long)
    task = plain_task(mean, inputs, labels, budget, False, (0.0, 1.0), None, 64, 0, Tally())
    found = entry(name, "napari_medadv.attacks")()(task)
    assert (mean(found).argmax(1) == 1).all()
