"""Classifier dock: attach a model, see what it says of the series before and after an attack, slice by slice."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
)

from napari_medadv.model import Classifier, load_classifier
from napari_medadv.prediction import Prediction
from napari_medadv.volume import several
from napari_medadv.widgets.bars import Bars
from napari_medadv.widgets.curve import Curve
from napari_medadv.widgets.ink import ink_of
from napari_medadv.widgets.panel import Panel, box
from napari_medadv.widgets.shipped import classifiers
from napari_medadv.widgets.work import Job

_FILES = "Models and cards (*.pt2 *.pt *.pth *.ts *.safetensors *.onnx *.toml);;All files (*)"


class ClassifierPanel(Panel):
    """The attached model and its findings."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self._reading: Job | None = None
        self.path = QLineEdit()
        self.path.setPlaceholderText("model file, card, or module:callable")
        self.path.setToolTip(
            "A model file with its card (model.toml) beside it, a card, or a Python factory as module:callable."
        )
        self.path.textChanged.connect(self._typed)
        self.path.returnPressed.connect(self.attach)
        browse = QPushButton("Browse…")
        browse.setToolTip("Choose a model file, or the card (.toml) that says how it is fed.")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(browse)
        self.column.addLayout(row)
        self.trust = QCheckBox("Run its code")
        self.trust.setToolTip(
            "A Python factory (module:callable) runs code of its author on this computer: tick this only if you trust it."
        )
        self.trust.setEnabled(False)
        attach = QPushButton("Attach")
        attach.setToolTip("Load the classifier, try it, and let it read the series.")
        attach.clicked.connect(self.attach)
        row = QHBoxLayout()
        row.addWidget(self.trust)
        row.addStretch(1)
        row.addWidget(self._samples())
        row.addWidget(attach)
        self.column.addLayout(row)
        self.card = QLabel()
        self.card.setWordWrap(True)
        self.card.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.column.addWidget(self.card)
        self.bars = Bars(self._judge)
        self.column.addWidget(self.bars)
        self.labels = box((), "The finding of the curve.")
        self.labels.currentTextChanged.connect(lambda _: self._draw())
        self.curve_title = QLabel()
        row = QHBoxLayout()
        row.addWidget(self.curve_title, 1)
        row.addWidget(self.labels)
        self.column.addLayout(row)
        self.curve = Curve(self.stage.go)
        self.column.addWidget(self.curve)
        self.finish()
        events = self.session.events
        for signal, slot in (
            (events.classifier, self._on_classifier),
            (events.loaded, self._on_loaded),
            (events.prediction, self._draw),
            (events.outcome, self._draw),
            (events.truth, self._draw),
            (events.index, self.curve.go),
        ):
            self.ties.connect(signal, slot)
        if self.stage.viewer is not None:
            self.ties.connect(self.stage.viewer.events.theme, self._draw)
        self._on_classifier(self.session.classifier)
        self.curve.go(self.session.index)

    def attach(self) -> None:
        """Load the model that the line names."""
        words = self.path.text().strip()
        if not words:
            self.complain("No model is named: browse for a model file or its card, or take a sample.")
            return
        trust = self.trust.isChecked() and self.trust.isEnabled()
        what: Path | str = words if _is_factory(words) else classifiers().get(words, Path(words))
        self.say("Loading the model…")
        self.start(lambda _: load_classifier(what, trust_code=trust), "Loading the model", self._attached)

    def _attached(self, classifier: Classifier) -> None:
        self.say("")
        self.session.attach(classifier)

    def _samples(self) -> QPushButton:
        button = QPushButton("Samples")
        button.setToolTip("The small demonstration classifiers that come with the plug-in; no diagnostic devices.")
        menu = QMenu(button)
        for name in classifiers():
            action = menu.addAction(name)
            if action is not None:
                action.triggered.connect(lambda _, name=name: self._sample(name))
        button.setMenu(menu)
        button.setEnabled(not menu.isEmpty())
        return button

    def _sample(self, name: str) -> None:
        self.path.setText(name)
        self.attach()

    def _browse(self) -> None:
        found, _ = QFileDialog.getOpenFileName(self, "Model or card", filter=_FILES)
        if found:
            self.path.setText(found)
            self.attach()

    def _typed(self, words: str) -> None:
        self.trust.setEnabled(_is_factory(words))
        if not _is_factory(words):
            self.trust.setChecked(False)

    def _on_classifier(self, classifier: Classifier | None) -> None:
        self.card.setText(described(classifier))
        self.bars.set_labels(classifier.findings if classifier is not None else None)
        self.labels.blockSignals(True)
        self.labels.clear()
        self.labels.addItems(list(classifier.findings.labels) if classifier is not None else [])
        self.labels.blockSignals(False)
        self._read()

    def _on_loaded(self) -> None:
        self._read()

    def _read(self) -> None:
        if self._reading is not None:
            self._reading.forget()
        self._draw()
        loaded, classifier = self.session.loaded, self.session.classifier
        if loaded is None or classifier is None or self.session.prediction is not None:
            return

        def done(prediction: Prediction) -> None:
            self.say("")
            if self.session.loaded is loaded and self.session.classifier is classifier:
                self.session.prediction = prediction

        self.say("Reading the series…")
        self._reading = self.start(
            lambda progress: classifier.predict(loaded.volume, progress=progress), "Reading the series", done
        )

    def _judge(self, label: str, present: bool | None) -> None:
        truth = {name: there for name, there in self.session.truth.items() if name != label}
        prediction = self.session.prediction
        if present is not None:
            truth[label] = present
            if present and prediction is not None and prediction.exclusive:
                truth = {name: name == label for name in prediction.findings.labels}
        self.session.truth = truth

    def _draw(self, *_: Any) -> None:
        before, after = self.session.prediction, self.session.after
        if before is None and self.session.outcome is not None and after is not None:
            before = self.session.outcome.perturbation.before
        ink = ink_of(self.stage.viewer)
        scored = before is not None and before.slices is not None and len(before.slices) > 1
        for widget in (self.labels, self.curve, self.curve_title):
            widget.setVisible(scored)
        self.bars.show_predictions(before, after, self.session.truth, ink)
        if self.labels.count():
            self.curve.show_predictions(self.labels.currentText(), before, after, ink)
        tail = f", <span style='color:{ink.adversarial}'>adversarial</span>" if after is not None else ""
        self.curve_title.setText(f"Slice by slice: <span style='color:{ink.clean}'>clean</span>{tail}")


def _is_factory(words: str) -> bool:
    head, colon, tail = words.strip().partition(":")
    return bool(colon) and tail.isidentifier() and all(part.isidentifier() for part in head.split("."))


def described(classifier: Classifier | None) -> str:
    """What is attached, in two lines, and what its trial found."""
    if classifier is None:
        return "No classifier is attached."
    reads = f"Reads {'single slices' if classifier.reads == 'slices' else 'the whole volume'} in {escape(several(classifier.unit))}"
    pooled = {"max": ", the highest slice decides", "mean": ", the mean of slices decides"}[classifier.pooling]
    facts = "".join(f"<br><i>{escape(fact)}</i>" for fact in classifier.facts)
    return f"<b>{escape(classifier.name)}</b><br>{reads}{pooled if classifier.reads == 'slices' else ''}.{facts}"
