"""Loss: what a gradient attack climbs, derived from the goal, so that two classes, one logit and several labels are right."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from napari_medadv.prediction import Findings
from napari_medadv.threat import Confuse, Goal

Loss = Literal["cross-entropy", "margin", "probability", "ratio"]
"""cross-entropy: the log-odds of the goal. margin: the difference of logits. probability: the difference of
probabilities (PMA, https://arxiv.org/abs/2411.15210). ratio: the margin over the spread of the three highest logits
(DLR, https://arxiv.org/abs/2003.01690), and the plain margin where there are no three classes to compare."""


def slope(
    goal: Goal, logits: Tensor, findings: Findings, decided: Tensor, loss: Loss | Tensor, *, alone: bool
) -> Tensor:
    """The gradient of the loss to the logits, (batch, label).

    Parameters
    ----------
    goal, logits, findings, decided, loss
        As for `climbed`; no graph is made of the logits.
    alone
        Whether `one_decides`, which is dear to find out for every batch: the gradient has a closed form then.
    """
    leaf = logits.detach()
    if alone and isinstance(goal, Confuse) and isinstance(loss, str) and loss == "cross-entropy":
        return goal.slope(leaf, decided)
    leaf.requires_grad_(True)
    with torch.enable_grad():
        (found,) = torch.autograd.grad(climbed(goal, leaf, findings, decided, loss).sum(), leaf)
    return found


def climbed(goal: Goal, logits: Tensor, findings: Findings, decided: Tensor, loss: Loss | Tensor) -> Tensor:
    """The loss (batch,) that rises towards the goal.

    Parameters
    ----------
    goal, findings, decided
        What is wished of whom.
    logits
        float32, (batch, label).
    loss
        Its name, or int64 (batch,): the way of each entry that is climbed.
    """
    if isinstance(loss, Tensor):
        return goal.ways(logits, findings, decided).gather(1, loss[:, None])[:, 0]
    if loss == "cross-entropy":
        return goal.odds(logits, findings, decided)
    margin = goal.margin(logits, findings, decided)
    if loss == "probability":
        if findings.activation == "softmax" and not findings.thresholds:
            return goal.margin(logits.softmax(dim=1), findings, decided)
        return torch.tanh(margin / 2)
    if loss == "ratio" and findings.activation == "softmax" and len(findings.labels) > 2:
        ordered = logits.sort(dim=1, descending=True).values
        return margin / (ordered[:, 0] - ordered[:, 2]).clamp_min(1e-9)
    return margin
