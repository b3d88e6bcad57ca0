"""Coordinate steps: the few voxels with the steepest gradient go to the edge of the budget, an example of an own attack."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from napari_medadv.attacks import Task
from napari_medadv.attacks.attack import Aim, Knowledge


@dataclass(frozen=True, slots=True)
class Steepest:
    """Move the steepest share of the voxels of every entry, a little more of them in each step."""

    needs_gradient: ClassVar[bool] = True
    knowledge: ClassVar[Knowledge] = "gradient"
    aim: ClassVar[Aim] = "fixed budget"
    norms: ClassVar[tuple[str, ...]] = ("Linf",)

    steps: int = 10
    share: float = 0.02

    def __call__(self, task: Task) -> torch.Tensor:
        values = task.clean.clone()
        for step in range(self.steps):
            _, gradient = task.gradient(task.stored(values))
            size = gradient.abs().flatten(1)
            least = size.quantile(1 - self.share * (step + 1) / self.steps, dim=1).view(-1, 1, 1, 1, 1)
            move = task.budget.epsilon * gradient.sign() * (gradient.abs() >= least)
            values = task.admit(task.clean + move)
            task.report(step + 1, self.steps)
        return values


if __name__ == "__main__":
    import numpy as np

    from napari_medadv import Classifier, Conceal, Findings, Linf, Scale, Threat, Volume, perturb

    rng = np.random.default_rng(0)
    volume = Volume(
        rng.integers(900, 1100, (3, 32, 32)).astype(np.int16),
        np.eye(4),
        Scale("HU", 0, 4095, intercept=np.array([-1024.0])),
    )
    weight = torch.from_numpy(rng.standard_normal(32 * 32).astype(np.float32))
    bias = 100.0 - torch.from_numpy(volume.values().reshape(3, -1)) @ weight
    classifier = Classifier(
        lambda slices: (slices.flatten(1) @ weight)[:, None] + bias[:, None], Findings(("nodule",), "sigmoid"), "HU"
    )
    found = perturb(classifier, volume, Threat(Conceal("nodule"), Linf(8)), Steepest())
    print("before", found.before.sentence, "| after", found.after.sentence, "| reached as stored:", found.reached)
