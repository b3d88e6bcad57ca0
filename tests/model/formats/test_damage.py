"""Whatever a damaged file does, a person reads one sentence."""

import random
from pathlib import Path

import pytest
import torch

from napari_medadv.errors import MedAdvError
from napari_medadv.model import load_classifier
from tests.model.formats.test_torchscript import script
from tests.model.networks import Small, export, write_card


def damaged(whole: bytes, rng: random.Random) -> bytes:
    content = bytearray(whole)
    kind = rng.randrange(3)
    if kind == 0:
        return bytes(content[: rng.randrange(len(content))])
    if kind == 1:
        start = rng.randrange(len(content))
        del content[start : start + rng.randrange(1, 40)]
        return bytes(content)
    for _ in range(rng.choice([1, 2, 20])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["model.pt2", "model.pt", "model.pth"])
def test_damage_gets_one_sentence_or_does_no_harm(tmp_path: Path, form: str) -> None:
    write_card(tmp_path, '[architecture]\nname = "resnet10"\n')
    path = tmp_path / form
    if form == "model.pth":
        torch.save(Small().state_dict(), path)
    else:
        export(Small(), path) if form == "model.pt2" else script(Small(), path, trace=True)
    whole, refused = path.read_bytes(), 0
    rng = random.Random(7)
    for _ in range(60):
        path.write_bytes(damaged(whole, rng))
        try:
            load_classifier(path)
        except MedAdvError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 20
