"""Provenance dock: who vouches for the files of the loaded series, whether they are as recorded, and signing copies."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit, QProgressBar, QPushButton, QSizePolicy, QTextBrowser

from napari_medadv.display import Loaded, Outcome
from napari_medadv.progress import Progress
from napari_medadv.widgets.panel import Panel, box, form, heading, row
from napari_medadv.widgets.path_row import PathRow
from napari_medadv.widgets.standing import NO_FILES, NOT_COMPARED, Standing, derived, sign_copies, standings
from napari_medadv.widgets.work import Job

_TONES = {"bad": "#b3362f", "unsure": "#96650a", "plain": "#5f636b", "good": "#1f7a4d"}
"""From what must be read first to what may be read last."""


class Badge(QLabel):
    """A standing in a few words on a colour that says the same."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    def show_standing(self, standing: Standing) -> None:
        """Turn to a standing."""
        self.setText(standing.words)
        self.setToolTip("\n".join(standing.sentences))
        self.setStyleSheet(
            f"background: {_TONES[standing.tone]}; color: white; border-radius: 4px; padding: 3px 8px; font-weight: bold;"
        )


class ProvenancePanel(Panel):
    """Badges, whom to trust, the findings in sentences, and signing."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self._jobs: list[Job] = []
        self.badges = {name: Badge() for name in ("origin", "signature", "baseline")}
        for badge in self.badges.values():
            self.column.addWidget(badge)
        pem = "Certificates and keys (*.pem *.crt *.cer *.der *.key);;All files (*)"
        self.authorities = PathRow(
            "nobody is trusted", "Certificates that you trust (PEM), of a CA or of the signer.", pem
        )
        self.ledger = PathRow("none", "The ledger that `medadv baseline` wrote when the files were known to be good.")
        self.public = PathRow("none", "The trusted Ed25519 public key of the ledger (PEM), where a key signed it.", pem)
        rows = form()
        rows.addRow("Trusted CA", self.authorities)
        rows.addRow("Ledger", self.ledger)
        rows.addRow("Ledger key", self.public)
        self.column.addLayout(rows)
        self.verify_button = QPushButton("Verify")
        self.verify_button.setToolTip(
            "Check every signature of the series, and compare it with the ledger if one is named."
        )
        self.verify_button.clicked.connect(self.verify)
        self.column.addWidget(self.verify_button)
        self.words = QTextBrowser()
        self.words.setMinimumHeight(80)
        self.column.addWidget(self.words, 1)
        self.column.addWidget(heading("Sign copies"))
        self.what = box(
            ("Loaded series", "Adversarial series"), "The adversarial one is written as DICOM, marked, and signed."
        )
        self.key = PathRow("private key", "RSA or elliptic-curve, PEM or DER.", pem)
        self.certificate = PathRow("its certificate", "The X.509 certificate of the key, PEM or DER.", pem)
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setPlaceholderText("none")
        rows = form()
        for label, field in (("Sign", self.what), ("Key", self.key), ("Certificate", self.certificate)):
            rows.addRow(label, field)
        self.sign_button, self.cancel_button = QPushButton("Sign into a new folder…"), QPushButton("Cancel")
        self.sign_button.clicked.connect(self._choose_folder)
        self.cancel_button.clicked.connect(self.cancel)
        rows.addRow("Password", self.password)
        self.column.addLayout(rows)
        self.column.addWidget(row(self.sign_button, self.cancel_button, stretch=(2, 1)))
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setVisible(False)
        self.column.addWidget(self.bar)
        self.finish(stretch=False)
        self.ties.connect(self.session.events.loaded, self._on_loaded)
        self.ties.connect(self.session.events.outcome, self._on_outcome)
        self._on_outcome(self.session.outcome)
        self._on_loaded(self.session.loaded)

    def verify(self) -> None:
        """Check signatures, and the ledger if one is named."""
        loaded = self.session.loaded
        if loaded is None or loaded.series is None:
            return
        series, ca, ledger, key = loaded.series, self.authorities.path, self.ledger.path, self.public.path
        self.say("")

        def verb(progress: Progress) -> tuple[Standing | None, Standing, Standing]:
            return standings(series, ca, ledger, key, progress)

        self._show(derived(series), _CHECKING, NOT_COMPARED)
        job = self._start(verb, "Verifying", lambda found: self._show(*found))
        job.failed.connect(lambda _: self._show(derived(series), _UNKNOWN, NOT_COMPARED))

    def sign(self, out: Path) -> None:
        """Write signed copies into the new folder `out`."""
        loaded, outcome, key, certificate = (
            self.session.loaded,
            self.session.outcome,
            self.key.path,
            self.certificate.path,
        )
        what = outcome if self.what.currentIndex() == 1 else loaded.series if loaded is not None else None
        if what is None or key is None or certificate is None:
            self.complain("Signing takes a series, a private key and its certificate: name all three.")
            return
        word = self.password.text()
        self.password.clear()
        self.say("Signing…")
        self._start(
            lambda progress: sign_copies(what, key, certificate, word.encode() or None, out, progress),
            "Signing",
            lambda found: self.say(f"{found[1]} files signed by {found[0]} are in {out.name}; load them to verify."),
        )

    def cancel(self) -> None:
        """Stop what is under way."""
        for job in self._jobs:
            job.cancel()

    def _start(self, verb: Any, what: str, done: Any) -> Job:
        job = self.start(verb, what, done)
        self._jobs = [*(old for old in self._jobs if old.running), job]
        self.bar.setVisible(True)
        self.bar.setValue(0)
        job.progressed.connect(lambda share, words: self.bar.setValue(int(1000 * share)))
        job.ended.connect(self._ended)
        self.cancel_button.setEnabled(True)
        return job

    def _ended(self) -> None:
        busy = any(job.running for job in self._jobs)
        self.bar.setVisible(busy)
        self.cancel_button.setEnabled(busy)

    def _show(self, origin: Standing | None, signature: Standing, baseline: Standing) -> None:
        shown = {"origin": origin, "signature": signature, "baseline": baseline}
        for name, standing in shown.items():
            self.badges[name].setVisible(standing is not None)
            if standing is not None:
                self.badges[name].show_standing(standing)
        told = [each for each in shown.values() if each is not None and each.sentences]
        told.sort(key=lambda each: list(_TONES).index(each.tone))
        parts = [line for each in told for line in (f"<b>{escape(each.words)}</b>", *map(escape, each.sentences))]
        self.words.setHtml("".join(f"<p style='margin:0 0 4px 0'>{each}</p>" for each in parts))

    def _on_loaded(self, loaded: Loaded | None) -> None:
        for job in self._jobs:
            job.forget()
        self._jobs = []
        self._ended()
        self.say("")
        there = loaded is not None and loaded.series is not None
        self.verify_button.setEnabled(there)
        self.sign_button.setEnabled(there)
        self._show(None, _CHECKING if there else NO_FILES if loaded is not None else _NOTHING, NOT_COMPARED)
        self.verify()

    def _on_outcome(self, outcome: Outcome | None) -> None:
        if outcome is None:
            self.what.setCurrentIndex(0)
        self.what.setEnabled(outcome is not None and outcome.loaded.series is not None)

    def _choose_folder(self) -> None:
        found, _ = QFileDialog.getSaveFileName(self, "New folder for the signed copies", "signed_series")
        if found:
            self.sign(Path(found))


_CHECKING = Standing("Checking signatures…", "plain")
_UNKNOWN = Standing("Signatures were not checked", "unsure")
_NOTHING = Standing("Nothing is loaded", "plain", ("Load a series in the dock Series.",))
