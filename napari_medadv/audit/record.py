"""Record: everything needed to replay an attack, and what came of it; no patient identity."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_medadv.attacks import Attack, Perturbation
from napari_medadv.audit.attack_files import found_files
from napari_medadv.audit.fingerprint import fingerprint
from napari_medadv.audit.meaning import meaning
from napari_medadv.audit.paths import kept_path
from napari_medadv.audit.threat_json import threat_json, threat_of
from napari_medadv.audit.versions import versions
from napari_medadv.catalogue import entry, name_of
from napari_medadv.errors import RecordError, system_reason
from napari_medadv.measure import Distortion
from napari_medadv.model import Classifier
from napari_medadv.prediction import Prediction
from napari_medadv.settings import make, plain
from napari_medadv.threat import Threat
from napari_medadv.threat.amount import Amount

FORMAT = "napari_medadv record 1"


@dataclass(frozen=True, slots=True)
class Attachment:
    """How a classifier was attached, so that it can be attached again.

    Attributes
    ----------
    weights, card
        Paths, or `module:callable`; relative ones count from the record's folder.
    trust_code
        Whether the person allowed a factory's code to run.
    """

    weights: str
    card: str | None = None
    trust_code: bool = False

    def weights_from(self, folder: Path) -> str:
        """The weights, for a record that lies in `folder`."""
        return self.weights if _is_factory(self.weights) else str(folder / self.weights)

    def card_from(self, folder: Path) -> Path | None:
        """The card, for a record that lies in `folder`."""
        return None if self.card is None else folder / self.card


def attachment(weights: str, card: Path | None, *, trust_code: bool, out: Path) -> Attachment:
    """How a classifier was attached, for a record that will lie in `out`."""
    named = weights if _is_factory(weights) else kept_path(Path(weights), out)
    return Attachment(named, None if card is None else kept_path(card, out), trust_code)


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One attack on one series.

    Attributes
    ----------
    source
        Series UID, modality, shape, dtype, unit, digests of the stored integers, and, unless de-identified, the path
        relative to the record; and the problems of it that were overlooked by choice.
    classifier
        Name, digest of the weights, labels, thresholds, unit, and how it is attached.
    threat, attack, seed
        What was asked for.
    budget
        How the budget was said, and what it means in every measure for the display window in use.
    versions
        Software and threads.
    result
        Predictions, whether the goal is reached as stored, distortion, cost, digests of the adversarial integers, facts.
    """

    source: dict[str, Any]
    classifier: dict[str, Any]
    threat: Threat
    budget: dict[str, Any]
    attack: Attack
    seed: int
    versions: dict[str, str]
    result: dict[str, Any]

    @property
    def asked(self) -> Amount | None:
        """How the person said the budget, where the record tells."""
        said = self.budget.get("asked")
        return None if said is None else make(Amount, said)

    @property
    def deidentified(self) -> bool:
        """Whether the patient's identity was removed: then the path of the source is not kept."""
        return self.source["path"] is None

    @property
    def attachment(self) -> Attachment:
        """How the classifier was attached."""
        return Attachment(self.classifier["weights"], self.classifier["card"], self.classifier["trust_code"])

    def json(self) -> dict[str, Any]:
        """The record in JSON's types."""
        return {
            "format": FORMAT,
            "source": self.source,
            "classifier": self.classifier,
            "threat": threat_json(self.threat, self.source["unit"]),
            "budget": self.budget,
            "attack": {"name": name_of(type(self.attack)), "settings": plain(self.attack), "repr": repr(self.attack)},
            "seed": self.seed,
            "versions": self.versions,
            "result": self.result,
        }

    def write(self, path: Path) -> None:
        """Write the record as JSON."""
        path.write_text(json.dumps(self.json(), indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")


def record_of(
    found: Perturbation,
    size: Distortion,
    classifier: Classifier,
    attachment: Attachment,
    *,
    path: str | None = None,
    allow: Collection[str] = (),
    asked: Amount | None = None,
) -> Record:
    """The record of a perturbation.

    Parameters
    ----------
    found, size
        What the attack did, and how far that is.
    classifier, attachment
        Who was attacked, and how it was attached.
    path
        Where the source series lies, relative to the record; None keeps it out of the record.
    allow
        The kinds of problems of the source that were overlooked by choice.
    asked
        How the person said the budget; None where it was in the unit of the series.
    """
    clean = found.clean
    source = {
        "series_uid": clean.series_uid,
        "modality": clean.modality,
        "shape": list(clean.voxels.shape),
        "dtype": clean.voxels.dtype.name,
        "unit": clean.scale.unit,
        "sha256": list(fingerprint(clean)),
        "path": path,
        "allow": sorted(set(allow)),
    }
    reader = {**reading(classifier), "device": str(classifier.device), **plain(attachment)}
    result = {
        "reached": found.reached,
        "before": said(found.before),
        "after": said(found.after),
        "distortion": {name: None if _undefined(value) else value for name, value in plain(size).items()},
        "slices": list(found.slices),
        "queries": found.queries,
        "gradients": found.gradients,
        "sha256": list(fingerprint(found.adversarial)),
        "facts": [*clean.facts, *found.facts],
    }
    budget = meaning(found.threat.budget, clean, asked, whole=classifier.reads == "volume")
    return Record(
        source,
        reader,
        found.threat,
        budget,
        found.attack,
        found.seed,
        versions() | {"threads": str(found.threads)},
        result,
    )


def reading(classifier: Classifier) -> dict[str, Any]:
    """What decides a classifier's answers: the digest of its weights and everything its card says."""
    findings = classifier.findings
    return {
        "name": classifier.name,
        "sha256": classifier.sha256,
        "labels": list(findings.labels),
        "activation": findings.activation,
        "thresholds": {label: findings.threshold(label) for label in findings.labels},
        "unit": classifier.unit,
        "reads": classifier.reads,
        "pooling": classifier.pooling,
        "batch": classifier.batch,
        "steps": [repr(step) for step in classifier.steps],
    }


def read_record(path: Path, *, trust_code: bool = False) -> Record:
    """The record in a file.

    A record may come from anywhere, so a private attack (`module:Class`) is imported only with `trust_code`.

    Raises
    ------
    RecordError
        The file cannot be read, or holds no record of this format.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = system_reason(error) if isinstance(error, OSError) else error
        raise RecordError(
            f"The record {path.name} cannot be read ({reason}): name a record.json that `medadv attack` wrote."
        ) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        said = found.get("format") if isinstance(found, dict) else None
        raise RecordError(
            f"{path.name} says its format is {said!r}, and {FORMAT!r} is what is read here: name a record.json of `medadv attack`."
        )
    try:
        if ":" in found["attack"]["name"] and not trust_code:
            raise RecordError(
                f"{path.name} names the private attack {found['attack']['name']}, whose code would run: allow it with --trust-code."
            )
        attack: Attack = make(entry(found["attack"]["name"], "napari_medadv.attacks"), found["attack"]["settings"])
        record = Record(
            found["source"],
            found["classifier"],
            threat_of(found["threat"]),
            found.get("budget", {}),
            found_files(attack, path.resolve().parent),
            int(found["seed"]),
            found["versions"],
            found["result"],
        )
        _ = record.asked, record.json()
        _check(record)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, zlib.error) as error:
        raise RecordError(
            f"The record {path.name} is damaged ({type(error).__name__}: {error}): run the attack again to have a whole one."
        ) from error
    return record


def _check(record: Record) -> None:
    """Raise `TypeError` or `ValueError` where a record says what replaying it cannot understand."""
    source, reader = record.source, record.classifier
    words = [source["series_uid"], reader["weights"], reader["device"], *source["sha256"], *record.result["sha256"]]
    words += [each for each in (source["path"], reader["card"]) if each is not None]
    if not all(isinstance(word, str) for word in words):
        raise TypeError("paths, uids and digests must be words")
    if not isinstance(reader["trust_code"], bool):
        raise TypeError("trust_code must be true or false")
    if int(record.versions.get("threads", 1)) < 1:
        raise ValueError("threads must be one at least")


def said(prediction: Prediction) -> dict[str, Any]:
    """A prediction in JSON's types."""
    labels = prediction.findings.labels
    return {
        "probabilities": dict(zip(labels, prediction.probabilities.tolist(), strict=True)),
        "present": list(prediction.present),
        "slices": None if prediction.slices is None else prediction.slices.tolist(),
    }


def _is_factory(weights: str) -> bool:
    module, colon, name = weights.rpartition(":")
    return bool(colon) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))


def _undefined(value: Any) -> bool:
    return value in ("inf", "-inf") or (isinstance(value, float) and math.isnan(value))
