"""Every example of the documentation runs as it stands."""

import re
import runpy
from pathlib import Path
from typing import get_args

import pytest

from napari_medadv.attacks.attack import Aim, Knowledge

EXAMPLES = sorted((Path(__file__).parent.parent / "docs" / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(path)])
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    "page", sorted((Path(__file__).parent.parent / "docs").rglob("*.md")), ids=lambda page: page.stem
)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


def test_the_example_of_an_own_attack_tells_what_the_catalogue_the_form_and_the_table_ask_for() -> None:
    kind = runpy.run_path(str(EXAMPLES[0].parent / "my_attack.py"))["Steepest"]
    assert kind.knowledge in get_args(Knowledge) and kind.aim in get_args(Aim) and kind.norms == ("Linf",)
    assert kind.needs_gradient
