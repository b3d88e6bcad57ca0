"""Attack dock: what is wished, how far it may go, where; run it, see whether it holds as stored, save it as DICOM."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton

from napari_medadv.attacks import Perturbation, perturb
from napari_medadv.attacks.retake import Retake
from napari_medadv.attacks.survival import Survival, survival
from napari_medadv.display import Loaded, Outcome
from napari_medadv.errors import MedAdvError
from napari_medadv.measure.heatmap import signed_difference
from napari_medadv.model import Classifier
from napari_medadv.model.threads import fastest_threads, threads
from napari_medadv.progress import Progress, part
from napari_medadv.widgets.attack_form import AttackForm, Plan
from napari_medadv.widgets.bars import percent
from napari_medadv.widgets.nouns import headline
from napari_medadv.widgets.object_boxes import ObjectBoxes
from napari_medadv.widgets.panel import Panel
from napari_medadv.widgets.progress_bar import ProgressBar
from napari_medadv.widgets.saving import Saved, save_outcome
from napari_medadv.widgets.together import Shared, shared
from napari_medadv.widgets.work import Job

_ELSEWHERE = "another series is on the screen"


class AttackPanel(Panel):
    """A form, a run button, and what came of it."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self._job: Job | None = None
        self.target = QLabel()
        self.column.addWidget(self.target)
        self.form = AttackForm(self.stage, self.ties)
        self.column.addWidget(self.form)
        self.run_button = QPushButton("Run attack")
        self.run_button.clicked.connect(self.run)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stops within one step; nothing is kept.")
        self.cancel_button.clicked.connect(self.cancel)
        row = QHBoxLayout()
        self.save_button = QPushButton("Save as DICOM…")
        self.save_button.setToolTip("Write the adversarial series as a new series of DICOM files, marked as synthetic.")
        self.save_button.clicked.connect(self._choose_folder)
        for button, share in ((self.run_button, 3), (self.cancel_button, 2), (self.save_button, 3)):
            row.addWidget(button, share)
        self.column.addLayout(row)
        self.objects = ObjectBoxes()
        self.column.addWidget(self.objects)
        self.bar = ProgressBar()
        self.column.addWidget(self.bar)
        self.finish()
        events = self.session.events
        for signal, slot in (
            (events.loaded, self._on_loaded),
            (events.classifier, self._refresh),
            (events.outcome, self._on_outcome),
            (events.index, self._name),
        ):
            self.ties.connect(signal, slot)
        self._on_outcome(self.session.outcome)

    def run(self) -> None:
        """Attack the loaded series."""
        loaded, classifier = self.session.loaded, self.session.classifier
        if loaded is None or classifier is None:
            missing = "series is loaded: load one" if loaded is None else "classifier is attached: attach one"
            self.complain(f"No {missing} first.")
            return
        try:
            plan = self.form.plan(loaded)
        except MedAdvError as error:
            self.complain(str(error))
            return
        self.say("")

        members = self.stage.series if plan.together else ()

        def verb(progress: Progress) -> Outcome:
            return attacked(loaded, classifier, plan, progress)

        def all_of_them(progress: Progress) -> Shared:
            return shared(members, classifier, plan, progress)

        if plan.together:
            self._job = self.start(all_of_them, "The attack", self._finished_together)
        else:
            self._job = self.start(verb, "The attack", self._finished)
        self.bar.follow(self._job)
        self._job.ended.connect(self._ended)
        self._refresh()

    def cancel(self) -> None:
        """Stop the attack at its next step."""
        if self._job is not None:
            self._job.cancel()
            self.say("Stopping…")

    def save(self, folder: Path) -> None:
        """Write the adversarial series, and the objects that are ticked."""
        outcome = self.session.outcome
        if outcome is None:
            return

        kinds = self.objects.kinds

        def verb(progress: Progress) -> Saved:
            return save_outcome(outcome, folder, progress, objects=kinds)

        self.say("Saving…")
        self.start(verb, "Saving", lambda saved: self.say(saved.words(folder.name)), writes=True)

    def _finished(self, outcome: Outcome) -> None:
        if self.session.loaded is outcome.loaded:
            self.stage.show_outcome(outcome)
        else:
            self.complain(f"The attack was stopped: {_ELSEWHERE}.")

    def _finished_together(self, found: Shared) -> None:
        there = [outcome for outcome in found.outcomes if outcome.loaded in self.stage.series]
        for outcome in sorted(there, key=lambda outcome: outcome.loaded is self.session.loaded):
            self.stage.show_outcome(outcome)
        if there:  # going through the series suggested a budget for each
            self.form.budget.show_budget(there[0].perturbation.threat.budget)
        self.say(found.words, wrong=found.reached < len(found.outcomes))

    def _ended(self) -> None:
        self._job = None
        self._refresh()

    def _on_loaded(self, loaded: Loaded | None) -> None:
        if self._job is not None and self._job.running:
            self._job.cancel(_ELSEWHERE)
            self.say("Stopping…")
        self._refresh()

    def _on_outcome(self, outcome: Outcome | None) -> None:
        if outcome is not None:
            self.say(told(outcome.perturbation, outcome.survival), wrong=not outcome.perturbation.reached)
        elif self._job is None:
            self.say("")
        self._refresh()

    def _refresh(self, *_: Any) -> None:
        running = self._job is not None
        ready = self.session.loaded is not None and self.session.classifier is not None
        self.run_button.setEnabled(ready and not running)
        self.run_button.setToolTip(
            "Perturbs this series until the classifier errs, within the budget; the source stays as it is."
            if ready
            else "Load a series and attach a classifier first."
        )
        self._name()
        self.cancel_button.setEnabled(running)
        outcome = self.session.outcome
        self.save_button.setEnabled(outcome is not None and outcome.loaded.series is not None)
        self.objects.turn(outcome)

    def _name(self, *_: Any) -> None:
        """Which series is attacked, and which slice of it is on the screen."""
        loaded = self.session.loaded
        self.target.setText(headline(loaded, self.session.index) if loaded is not None else "Nothing is loaded.")

    def _choose_folder(self) -> None:
        found, _ = QFileDialog.getSaveFileName(self, "New folder for the derived series", "adversarial_series")
        if found:
            self.save(Path(found))


def attacked(loaded: Loaded, classifier: Classifier, plan: Plan, progress: Progress) -> Outcome:
    """The outcome of a plan; runs beside the window."""
    end = 0.6 if plan.retakes else 0.98
    with threads(fastest_threads(classifier, loaded.volume)):
        found = perturb(
            classifier, loaded.volume, plan.threat, plan.attack, seed=plan.seed, progress=part(progress, 0.0, end)
        )
        lasting = None
        if plan.retakes:
            lasting = survival(
                classifier,
                found,
                Retake.as_set(plan.attack),
                times=plan.retakes,
                seed=plan.seed + 1,
                progress=part(progress, end, 0.98),
            )
    return Outcome(loaded, classifier, found, signed_difference(found.clean, found.adversarial), lasting)


def told(found: Perturbation, lasting: Survival | None = None) -> str:
    """Whether the goal is reached as stored, how the finding moved, how often it lasts, and what must be known beside it."""
    goal = found.threat.goal
    verdict = {"Conceal": "Concealed", "Fabricate": "Fabricated", "Confuse": "Confused"}.get(
        type(goal).__name__, "Reached"
    )
    head = (
        f"{verdict}, judged as stored"
        if found.reached
        else "Not reached, judged as stored: a larger budget or more steps may help"
    )
    label = getattr(goal, "label", None) or (found.before.present or found.before.findings.labels)[0]
    moved = f"{escape(label)} {percent(found.before[label])} → {percent(found.after[label])}"
    spent = f"{len(found.slices)} slice{'s' if len(found.slices) != 1 else ''}, {found.gradients} gradients, {found.queries} queries"
    moved += f"<br>{lasting.sentence.capitalize()}" if lasting is not None else ""
    beside = "".join(f"<br><i>{escape(fact[:1].upper() + fact[1:])}.</i>" for fact in found.facts)
    return f"<b>{head}</b><br>{moved}{beside}<br><small>{spent}, seed {found.seed}</small>"
