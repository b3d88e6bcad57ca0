"""SettingsForm: a form made from the fields of a dataclass, with the docstring's words as tooltips."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from qtpy.QtWidgets import QCheckBox, QLineEdit, QWidget

from napari_medadv.settings import fields, make
from napari_medadv.widgets.fields import Choice, Whole
from napari_medadv.widgets.number import Number
from napari_medadv.widgets.panel import form


class SettingsForm(QWidget):
    """The settings of one class, at its defaults or as in an instance; `value()` makes an instance."""

    def __init__(self, kind: type[Any], instance: Any = None) -> None:
        super().__init__()
        self._kind = kind
        self._readers: dict[str, Callable[[], Any]] = {}
        self.rows = form()
        self.setLayout(self.rows)
        words = explained(kind)
        for name, (annotation, default) in fields(kind).items():
            field, read = field_of(annotation, default if instance is None else getattr(instance, name))
            field.setToolTip(words.get(name, ""))
            field.setObjectName(name)
            self.rows.addRow(name.replace("_", " ").capitalize(), field)
            self._readers[name] = read

    def value(self) -> Any:
        """An instance with what the form says.

        Raises
        ------
        MedAdvError
            The class refuses a value.
        """
        return make(self._kind, {name: read() for name, read in self._readers.items()})


def explained(kind: type[Any]) -> dict[str, str]:
    """The words about each attribute in the numpy-style docstrings of a class and of those that it extends."""
    found: dict[str, str] = {}
    for owner in reversed(kind.__mro__):
        _, _, listed = inspect.cleandoc(vars(owner).get("__doc__") or "").partition("Attributes\n----------\n")
        for names, words in re.findall(r"^(\S[^\n]*)\n((?:[ ]+[^\n]*\n?)+)", listed, flags=re.MULTILINE):
            for name in names.split(","):
                found[name.strip()] = " ".join(words.split())
    return found


def field_of(annotation: Any, default: Any) -> tuple[QWidget, Callable[[], Any]]:
    """A field for one setting, and how to read it."""
    if get_origin(annotation) is Literal:
        box = Choice()
        box.addItems([str(choice) for choice in get_args(annotation)])
        box.setCurrentText(str(default))
        return box, box.currentText
    if annotation is bool:
        check = QCheckBox()
        check.setChecked(bool(default))
        return check, check.isChecked
    if annotation is int:
        whole = Whole()
        whole.setRange(0, 1_000_000)
        whole.setValue(int(default))
        return whole, whole.value
    if annotation is float:
        real = Number(float(default), lowest=-1e9, highest=math.inf)
        return real, lambda: real.number
    if get_origin(annotation) is tuple:
        several = QLineEdit(", ".join(str(part) for part in default))
        several.setPlaceholderText("several, with commas between")
        return several, lambda: [part.strip() for part in several.text().split(",") if part.strip()]
    line = QLineEdit("none" if default is None else str(default))
    return line, line.text
