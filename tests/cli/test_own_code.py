"""An attack or a detector of the person's own, and the mistakes of who writes a first one: a sentence each, before any work."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Medadv

NUMBERS = itertools.count()
HEAD = "from dataclasses import dataclass, field\nfrom pathlib import Path\n@dataclass(frozen=True)\nclass Mine:\n"
CALL = "    def __call__(self, task): return task.clean\n"
DETECTOR = "    needs = ('nothing',)\n    weight = 1.0\n    evaded_by = 'all'\n    passes = 1\n"
SCORE = "    def __call__(self, suspect, state): return suspect.values.flatten(1).std(dim=1)\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a module, and say under which name it can be imported; no two have the same."""

    def write(code: str) -> str:
        name = f"own_code_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return write


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("class Mine(", "fails while it is imported (SyntaxError"),
        ("x = missing", "fails while it is imported (NameError: name 'missing'"),
        ("raise SystemExit(0)", "fails while it is imported (SystemExit"),
        ("import no_such_package", "No module named 'no_such_package'"),
        ("class Other: pass", "no class 'Mine', its classes are Other"),
        ("class Mine:\n" + CALL, "no dataclass"),
        (HEAD + "    share: Number = 3\n" + CALL, "annotations of Mine cannot be read"),
        (HEAD + "    share: list[int] = field(default_factory=list)\n" + CALL, "share of the type list[int]"),
        (HEAD + "    share: Path | None = Path('x')\n" + CALL, "share of the type pathlib"),
        (HEAD + "    share: tuple[int, str] = (1, 'a')\n" + CALL, "share of the type tuple[int, str]"),
        (HEAD + "    share: int = 3\n    def __post_init__(self): raise ValueError('too few')\n" + CALL, "(too few)"),
    ],
)
def test_an_attack_with_a_mistake(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path, module: Any, code: str, words: str
) -> None:
    said = medadv(
        *["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "out"],
        *["--attack", f"{module('from __future__ import annotations' + chr(10) + code)}:Mine", "--share", 3],
    )
    assert words in said.one_sentence() and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [("pdg", "is none of apgd"), ("./mine.py:Mine", "not the name of a module"), (":Mine", "not the name of a module")],
)
def test_a_wrong_name_is_said_before_its_settings_are_called_unknown(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path, name: str, words: str
) -> None:
    attack = ["attack", ct, "--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", tmp_path / "out"]
    assert words in medadv(*attack, "--attack", name, "--steps", 3).one_sentence()
    assert "attacks and their settings" in medadv(*attack, "--attack", name, "--help").out


def test_a_class_may_be_named_where_it_is_imported_to(module: Any) -> None:
    from napari_medadv.catalogue import entry, name_of

    inner = module(HEAD + CALL)
    outer = module(f"from {inner} import Mine")
    assert name_of(entry(f"{outer}:Mine", "napari_medadv.attacks")) == f"{inner}:Mine"


def test_a_replay_that_differs_says_what_may_be_wrong_with_own_code(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path, module: Any
) -> None:
    drawn = "    def __call__(self, task):\n        import torch\n        return task.clean + torch.randn(task.clean.shape)\n"
    name, out = f"{module(HEAD + drawn)}:Mine", tmp_path / "out"
    words = ["--model", model, "--conceal", "nodule", "--epsilon", 16, "--out", out, "--attack", name]
    assert medadv("attack", ct, *words).code == 0
    assert f"{name} may have changed, or it draws from more" in medadv("replay", out, "--trust-code").one_sentence()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("class Mine:\n" + DETECTOR + SCORE, "no dataclass"),
        (HEAD + "    factor: float\n" + DETECTOR + SCORE, "give each of its fields a default"),
        (HEAD + DETECTOR + SCORE + "    weight = -1\n", "the weight -1"),
        (HEAD + DETECTOR + SCORE + "    weight = '1'\n", "the weight '1'"),
        (HEAD + DETECTOR + SCORE + "    needs = ('gradients',)\n", "needs ('gradients',)"),
    ],
)
def test_a_detector_with_a_mistake(
    medadv: Medadv, ct: Path, model: Path, tmp_path: Path, module: Any, code: str, words: str
) -> None:
    own = ["--reference", tmp_path / "r.json", "--detector", f"{module(code)}:Mine"]
    assert words in medadv("calibrate", ct, "--model", model, *own).one_sentence()
