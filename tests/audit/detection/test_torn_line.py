"""A run that was killed within a line costs no later score."""

from __future__ import annotations

from pathlib import Path

from napari_medadv.audit.detection.evaluate import Row, _keep, _kept


def test_a_row_after_a_torn_line_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    rows = [Row(name, 1, "clean", "clean", True, 0.0, {"mirror": 0.5}) for name in "abc"]
    _keep(path, rows[0])
    with path.open("a") as lines:
        lines.write('{"image": "to')
    for row in rows[1:]:
        _keep(path, row)
    assert _kept(path) == tuple(rows) and len(path.read_text().splitlines()) == 4
