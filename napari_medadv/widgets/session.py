"""Session: what the person has chosen in one viewer. Panels read and write it, and never each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from psygnal import SignalGroupDescriptor

from napari_medadv.display import HeatView, Loaded, Outcome
from napari_medadv.measure.distortion import Distortion
from napari_medadv.model import Classifier
from napari_medadv.prediction import Prediction
from napari_medadv.widgets.standing import Standings, Trust

NOTHING: Mapping[str, bool] = MappingProxyType({})


@dataclass(eq=False)
class Session:
    """Evented: `session.events.loaded.connect(...)`, and so on.

    Attributes
    ----------
    loaded
        The series in question.
    classifier
        Who reads it.
    prediction
        What the classifier says of the clean series; None while unknown.
    outcome
        The last or the chosen attack on this series.
    distortion
        The numbers of the outcome; None while unknown.
    truth
        What the person says is so: label to present or absent.
    heat
        How the difference is shown.
    trust, standings
        Whom the person trusts to vouch for files, and what is known of those of the series; None where nothing is loaded.
    index
        The slice on the screen.
    readout
        Patient position and value under the cursor.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    loaded: Loaded | None = None
    classifier: Classifier | None = None
    prediction: Prediction | None = None
    outcome: Outcome | None = None
    distortion: Distortion | None = None
    truth: Mapping[str, bool] = field(default_factory=lambda: NOTHING)
    heat: HeatView = field(default_factory=HeatView)
    trust: Trust = field(default_factory=Trust)
    standings: Standings | None = None
    index: int = 0
    readout: str = ""

    def take(self, loaded: Loaded | None, outcome: Outcome | None = None) -> None:
        """Turn to a series, and to an attack on it if one is given."""
        if loaded is not self.loaded or outcome is not self.outcome:
            self.readout = ""
        if loaded is not self.loaded:
            self.prediction = None
            self.truth = NOTHING
            self.loaded = loaded
        if outcome is not self.outcome:
            self.distortion = None
            self.outcome = outcome

    def attach(self, classifier: Classifier | None) -> None:
        """Turn to a classifier. An outcome stays, because it names the classifier that it fooled."""
        if classifier is self.classifier:
            return
        self.prediction = None
        self.truth = NOTHING
        self.classifier = classifier

    @property
    def after(self) -> Prediction | None:
        """What the attached classifier says of the adversarial series; None where another one was attacked."""
        if self.outcome is None or self.outcome.classifier is not self.classifier:
            return None
        return self.outcome.perturbation.after
