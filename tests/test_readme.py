"""What the README shows runs, and what it says is so."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs_and_pgd_does_what_noise_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "block.py").write_text(block)
    runpy.run_path("block.py")
    pgd, noise = capsys.readouterr().out.splitlines()
    assert pgd.startswith("PGD") and pgd.endswith("True")
    assert noise.startswith("Noise") and noise.endswith("False")
    said = re.findall(r"```text\n(PGD.*)\n(Noise.*)\n```", README)[0]
    for printed, promised in zip((pgd, noise), said, strict=True):
        numbers = [[float(word) for word in re.findall(r"[\d.]+(?= %)", line)] for line in (printed, promised)]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.25)


def test_the_table_of_attacks_is_that_of_the_folder() -> None:
    table = runpy.run_path(str(ROOT / "docs" / "attack_table.py"))["table"]
    assert table() in README


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_a_web_address_ends_before_the_sentence_does_and_no_row_is_there_twice(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"\]\(https?://[^)]*[:.,;]\)", text)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == len(set(rows))
