"""Docks scroll where the window is lower than their rows, and the wheel scrolls past fields that were not clicked."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QComboBox, QScrollArea, QWidget

from napari_medadv.display import Loaded
from napari_medadv.model import Classifier
from napari_medadv.prediction import Findings
from napari_medadv.widgets.attack import AttackPanel
from napari_medadv.widgets.classifier import ClassifierPanel
from napari_medadv.widgets.overlay import OverlayPanel
from napari_medadv.widgets.stage import stage_of
from tests.widgets.docking import Until, dock

LABELS = (*(f"finding {number}" for number in range(16)), "Pleural_Thickening", "Enlarged Cardiomediastinum")


def test_many_labels_do_not_make_the_window_larger_than_the_screen(
    viewer: Any, loaded: Loaded, classifier: Classifier, until: Until, qtbot: Any
) -> None:
    stage = stage_of(viewer)

    def network(values: torch.Tensor) -> torch.Tensor:
        return classifier.network(values)[:, :1].expand(-1, len(LABELS))

    panel = dock(viewer, ClassifierPanel)
    window = shown(panel, 700, 500)
    qtbot.wait(50)
    window.resize(700, 500)
    stage.show(loaded)
    stage.session.attach(Classifier(network, Findings(LABELS, "sigmoid"), "HU", name="many"))
    until(lambda: stage.session.prediction)
    qtbot.wait(50)
    assert window.minimumSizeHint().height() <= 600 < panel.column.minimumSize().height()
    assert window.height() <= 600
    area = panel.findChild(QScrollArea)
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    names = {label.text().replace("\u200b", ""): label for label in panel.bars.findChildren(QWidget, "name")}
    last = names["Enlarged Cardiomediastinum"]
    assert area.viewport().rect().contains(last.mapTo(area.viewport(), last.rect().bottomRight()))
    for name in names.values():
        assert name.sizeHint().width() <= name.width() or name.heightForWidth(name.width()) <= name.height()


def test_a_dock_grows_the_window_once_and_a_message_is_scrolled_to(
    viewer: Any, loaded: Loaded, classifier: Classifier, qtbot: Any
) -> None:
    panel = dock(viewer, AttackPanel)
    window = shown(panel, 900, 400)
    qtbot.wait(100)
    assert panel.height() >= panel.sizeHint().height()
    window.resize(900, 400)
    qtbot.wait(50)
    panel.hide()
    panel.show()
    qtbot.wait(50)
    assert panel.height() < panel.sizeHint().height()
    panel.run()
    qtbot.wait(50)
    area = panel.findChild(QScrollArea)
    shown_at = panel.message.mapTo(area.viewport(), QPoint(0, panel.message.height() - 1))
    assert "No series is loaded" in panel.message.text() and area.viewport().rect().contains(shown_at)


@pytest.mark.parametrize("name", ["epsilon", "seed", "attack", "opacity"])
def test_the_wheel_changes_a_field_only_once_it_was_clicked(viewer: Any, name: str, qtbot: Any) -> None:
    panel = dock(viewer, OverlayPanel if name == "opacity" else AttackPanel)
    window = shown(panel, 900, 700)
    field = {
        "epsilon": lambda: panel.form.budget.epsilon,
        "seed": lambda: panel.form.seed,
        "attack": lambda: panel.form.attack,
        "opacity": lambda: panel.opacity,
    }[name]()
    field.setEnabled(True)
    before = reading(field)
    window.activateWindow()
    turn(field, 120 if name != "attack" else -120)
    assert reading(field) == before and not field.hasFocus()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    turn(field, 120 if name != "attack" else -120)
    assert reading(field) != before


def shown(panel: Any, width: int, height: int) -> Any:
    window = panel.window()
    window.resize(width, height)
    window.show()
    return window


def reading(field: Any) -> Any:
    return field.currentIndex() if isinstance(field, QComboBox) else field.value()


def turn(field: QWidget, angle: int) -> None:
    """One notch of the wheel over the middle of a field."""
    middle = QPointF(field.rect().center())
    event = QWheelEvent(
        middle,
        field.mapToGlobal(middle),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(field, event)
