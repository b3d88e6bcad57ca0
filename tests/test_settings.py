import math
from dataclasses import dataclass
from typing import Literal

import pytest

from napari_medadv.attacks.pgd import PGD
from napari_medadv.errors import AttackError, SettingError
from napari_medadv.settings import make, plain


@dataclass(frozen=True)
class Mine:
    count: int
    share: float = 0.5
    way: Literal["up", "down"] = "up"
    flag: bool = False
    limit: float | None = None
    sides: tuple[int, ...] = (1, 2)


def test_settings_are_read_as_typed() -> None:
    found = make(Mine, {"count": "3", "share": "inf", "way": "down", "flag": "yes", "limit": "none", "sides": "4,5"})
    assert found == Mine(3, math.inf, "down", True, None, (4, 5))


def test_settings_survive_json() -> None:
    import json

    attack = PGD(steps=7, confidence=math.inf)
    assert make(PGD, json.loads(json.dumps(plain(attack), allow_nan=False))) == attack
    mine = Mine(1, limit=2.5)
    assert make(Mine, json.loads(json.dumps(plain(mine), allow_nan=False))) == mine


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"count": "2.5"}, "count as a whole number, not '2.5'"),
        ({"count": 1, "share": "nan"}, "share as a number"),
        ({"count": 1, "way": "left"}, "'up' or 'down', not 'left'"),
        ({"count": 1, "flag": "perhaps"}, "flag as yes or no"),
        ({"count": 1, "limit": "x"}, "limit as a number or none"),
        ({"counts": 1}, "no setting 'counts'; its settings are count, share"),
        ({}, "needs the setting 'count'"),
    ],
)
def test_a_wrong_setting_is_one_sentence(given: dict[str, object], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        make(Mine, given)


def test_values_that_fit_the_type_and_not_the_class_are_its_own_error() -> None:
    with pytest.raises(AttackError, match="steps >= 1"):
        make(PGD, {"steps": "0"})
