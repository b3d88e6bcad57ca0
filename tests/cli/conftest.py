"""A small CT, a linear classifier of it that 8 HU can turn, and a way to run `medadv`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn, stack

from napari_medadv.cli import main
from tests.dicom.making import dataset, write
from tests.model.networks import export, write_card


class Brightness(nn.Module):
    """One logit: how far the mean of the window lies above 0.4."""

    def forward(self, values: Tensor) -> Tensor:
        return (values.mean(dim=(1, 2, 3), keepdim=False)[:, None] - 0.4) * 100


class Halves(nn.Module):
    """Two logits: how far the mean of the upper half lies above 0.4, and that of the lower half above 0.41."""

    def forward(self, values: Tensor) -> Tensor:
        upper, lower = values[:, :, :8].mean(dim=(1, 2, 3)) - 0.4, values[:, :, 8:].mean(dim=(1, 2, 3)) - 0.41
        return stack([upper, lower], dim=1) * 100


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    def one_sentence(self) -> str:
        """Stderr, which must be one line by medadv, with exit code 2 and nothing on stdout."""
        assert self.code == 2 and not self.out
        assert self.err.startswith("medadv") and self.err.count("\n") == 1 and "Traceback" not in self.err
        return self.err


Medadv = Callable[..., Said]


@pytest.fixture
def medadv(capfd: pytest.CaptureFixture[str]) -> Medadv:
    def run(*words: object) -> Said:
        capfd.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return run


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    """Four slices of about -190 HU, 0.405 of the window: the finding is present by 0.5 logits."""
    rng = np.random.default_rng(0)
    for index in range(4):
        voxels = (834 + rng.integers(-20, 21, (16, 12))).astype(np.int16)
        write(dataset("CT", index, voxels=voxels), tmp_path / "source" / f"{index}.dcm")
    return tmp_path / "source"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the classifier and its card."""
    folder = tmp_path_factory.mktemp("model")
    export(Brightness(), folder / "model.pt2", (1, 16, 12))
    write_card(
        folder,
        '[[preprocess]]\nstep = "window"\ncenter = 0\nwidth = 2000\n[[preprocess]]\nstep = "resize"\nsize = [16, 12]\n',
        labels='["nodule"]',
        activation='"sigmoid"',
        weights='"model.pt2"',
    )
    return folder


@pytest.fixture(scope="session")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of two labels with a probability each: of `ct`, "upper" is present and "lower" is not."""
    folder = tmp_path_factory.mktemp("halves")
    export(Halves(), folder / "model.pt2", (1, 16, 12))
    write_card(
        folder,
        '[[preprocess]]\nstep = "window"\ncenter = 0\nwidth = 2000\n[[preprocess]]\nstep = "resize"\nsize = [16, 12]\n',
        labels='["upper", "lower"]',
        activation='"sigmoid"',
        weights='"model.pt2"',
    )
    return folder


@pytest.fixture
def attacked(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> Path:
    """The result of a successful attack."""
    out = tmp_path / "out"
    said = medadv("attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", out)
    assert said.code == 0, said.err
    return out


@pytest.fixture
def attack(medadv: Medadv, ct: Path, model: Path, tmp_path: Path) -> Medadv:
    """An attack that would work, but for what is changed; nothing may be left of it."""

    def run(**changed: object) -> object:
        given = {"path": ct, "model": model, "conceal": "nodule", "epsilon": 16, "out": tmp_path / "out"} | changed
        words = ["attack", given.pop("path")]
        for name, value in given.items():
            words += [] if value is None else [f"--{name}", value]
        said = medadv(*words)
        if given["out"] == tmp_path / "out":
            assert not (tmp_path / "out").exists()
        assert not list(tmp_path.rglob("*.partial"))
        return said

    return run  # type: ignore[return-value]
