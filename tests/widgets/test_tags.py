"""Tags dock: the tree, its search, what it hides, and that it follows the slice."""

from __future__ import annotations

import time
from typing import Any

from qtpy.QtCore import QModelIndex, Qt

from napari_medadv.dicom.tags import HIDDEN, TagLine
from napari_medadv.display import Loaded
from napari_medadv.widgets.stage import stage_of
from napari_medadv.widgets.tag_tree import TagTree, parents
from napari_medadv.widgets.tags import TagsPanel


def line(depth: int, keyword: str, value: str = "", vr: str = "LO") -> TagLine:
    return TagLine(depth, "(0008,0000)", keyword, keyword, vr, value, False)


LINES = (
    line(0, "Modality", "CT"),
    line(0, "SourceImageSequence", "1 item", "SQ"),
    line(1, "Item"),
    line(2, "Purpose", "mask"),
    line(2, "Referenced", "1.2"),
    line(0, "Rows", "32", "US"),
)


def texts(model: TagTree, parent: QModelIndex = QModelIndex()) -> list[Any]:  # noqa: B008
    found = []
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        assert model.parent(index) == parent
        found.append((model.data(index), texts(model, index)))
    return found


def test_sequences_are_a_tree_and_a_search_keeps_what_a_hit_stands_in(qapp: Any) -> None:
    model = TagTree()
    model.show(LINES)
    assert parents(LINES) == [-1, -1, 1, 2, 2, -1]
    sequence: Any = ("SourceImageSequence", [("Item", [("Purpose", []), ("Referenced", [])])])
    assert texts(model) == [("Modality", []), sequence, ("Rows", [])]
    model.show(LINES, "mask")
    assert model.found == 1
    assert texts(model) == [("SourceImageSequence", [("Item", [("Purpose", [])])])]
    model.show(LINES, "nowhere")
    assert model.rowCount() == 0 and model.found == 0


def test_ten_thousand_elements_are_searched_at_once(qapp: Any) -> None:
    model = TagTree()
    lines = tuple(line(number % 3, f"Element{number}", str(number)) for number in range(10_000))
    start = time.process_time()
    model.show(lines, "element77")
    assert model.found == 111
    assert time.process_time() - start < 0.5


def test_the_dock_shows_the_slice_hides_the_patient_and_follows_the_slider(
    viewer: Any, loaded: Loaded, until: Any
) -> None:
    stage, panel = stage_of(viewer), TagsPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Tags")
    assert "Nothing is loaded" in panel.file.text()
    stage.show(loaded)
    until(lambda: panel.model.rowCount())
    panel.search.setText("patient name")
    assert shown(panel, 1) == [HIDDEN]
    panel.identity.setChecked(True)
    until(lambda: shown(panel, 1) != [HIDDEN])
    assert shown(panel, 1) == ["Doe^Jane"]
    panel.search.setText("InstanceNumber")
    for index in (1, 4):
        stage.go(index)
        until(lambda index=index: shown(panel, 1) == [str(100 - index)])
        assert f"slice {index} of 0 – 5" in panel.file.text()
    panel.tree.setCurrentIndex(panel.model.index(0, 0))
    assert "InstanceNumber" in panel.chosen.text() and "96" in panel.chosen.text()
    stage.show(Loaded(loaded.volume))
    assert not panel.identity.isChecked() and panel.model.rowCount() == 0
    assert "was not read from a DICOM file" in panel.file.text()


def shown(panel: TagsPanel, column: int) -> list[str]:
    model = panel.model
    return [model.data(model.index(row, column), Qt.ItemDataRole.DisplayRole) for row in range(model.rowCount())]
