"""Provenance dock: who vouches for the files of the loaded series, whether they are as recorded, and signing copies."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QLineEdit, QProgressBar, QPushButton, QTextBrowser

from napari_medadv.display import Loaded, Outcome
from napari_medadv.widgets.badge import TONES, Badge
from napari_medadv.widgets.panel import Panel, box, form, heading, row
from napari_medadv.widgets.path_row import PathRow
from napari_medadv.widgets.standing import NOT_COMPARED, NOTHING, Standings, Trust, sign_copies
from napari_medadv.widgets.work import Job

_SIGNING = "Signing"


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
        self.sign_button.setToolTip(
            "Copies of the files with a digital signature each; the files themselves stay as they are."
        )
        self.cancel_button.setToolTip("Stops what is under way; nothing half done is kept.")
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
        self.ties.connect(self.session.events.standings, self._show)
        for path in (self.authorities, self.ledger, self.public):
            path.line.textChanged.connect(self._trusted)
        self._on_loaded(self.session.loaded)
        self._show(self.session.standings)

    def verify(self) -> None:
        """Check signatures, and the ledger if one is named."""
        self.say("")
        job = self.stage.vouching.check()
        if job is not None:
            job.failed.connect(self.complain)
            self._watch(job)

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
        job = self.start(
            lambda progress: sign_copies(what, key, certificate, word.encode() or None, out, progress),
            _SIGNING,
            lambda found: self.say(f"{found[1]} files signed by {found[0]} are in {out.name}; load them to verify."),
            writes=True,
        )
        self._watch(job)

    def cancel(self) -> None:
        """Stop what is under way."""
        for job in self._jobs:
            job.cancel()

    def _watch(self, job: Job) -> None:
        self._jobs = [*(old for old in self._jobs if old.running), job]
        self.bar.setVisible(True)
        self.bar.setValue(0)
        job.progressed.connect(lambda share, words: self.bar.setValue(int(1000 * share)))
        job.ended.connect(self._ended)
        self.cancel_button.setEnabled(True)

    def _ended(self) -> None:
        busy = any(job.running for job in self._jobs)
        self.bar.setVisible(busy)
        self.cancel_button.setEnabled(busy)

    def _trusted(self, *_: Any) -> None:
        self.session.trust = Trust(self.authorities.path, self.ledger.path, self.public.path)

    def _show(self, found: Standings | None) -> None:
        found = found or Standings(None, NOTHING, NOT_COMPARED)
        for name, badge in self.badges.items():
            badge.show_standing(getattr(found, name))
        told = sorted((each for each in found.shown if each.sentences), key=lambda each: list(TONES).index(each.tone))
        parts = [line for each in told for line in (f"<b>{escape(each.words)}</b>", *map(escape, each.sentences))]
        self.words.setHtml("".join(f"<p style='margin:0 0 4px 0'>{each}</p>" for each in parts))

    def _on_loaded(self, loaded: Loaded | None) -> None:
        self._jobs = [
            job for job in self._jobs if job.what == _SIGNING and job.running
        ]  # it goes on; verifying is over
        self._ended()
        if not self._jobs:
            self.say("")
        there = loaded is not None and loaded.series is not None
        self.verify_button.setEnabled(there)
        self.sign_button.setEnabled(there)

    def _on_outcome(self, outcome: Outcome | None) -> None:
        if outcome is None:
            self.what.setCurrentIndex(0)
        self.what.setEnabled(outcome is not None and outcome.loaded.series is not None)

    def _choose_folder(self) -> None:
        found, _ = QFileDialog.getSaveFileName(self, "New folder for the signed copies", "signed_series")
        if found:
            self.sign(Path(found))
