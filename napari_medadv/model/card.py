"""Card: what a person says of a network (`model.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_medadv.catalogue import entry, names
from napari_medadv.errors import CardError, CatalogueError
from napari_medadv.model.classifier import Step
from napari_medadv.model.fields import build, one_of
from napari_medadv.model.intake import Unit
from napari_medadv.model.preprocess.layout import Layout
from napari_medadv.prediction import Findings

STEPS = "napari_medadv.model.preprocess"


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network of `monai.networks.nets` that a bare state_dict fills.

    Attributes
    ----------
    name
        Its class, such as "DenseNet121".
    arguments
        What the class is called with.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """What a network reads and what its answers mean.

    Attributes
    ----------
    labels, activation, thresholds
        See `Findings`.
    unit, reads, pooling
        See `Classifier`.
    name, description
        For people and records.
    weights
        File beside the card, or `module:callable`; "" where the card lies beside the weights.
    output
        What the network answers; probabilities are turned back into logits.
    input
        Shape of one input as the steps give it, [channel, y, x] or [channel, z, y, x]; () where steps or file tell it.
    preprocess
        The steps, in order.
    architecture
        For a bare state_dict or safetensors only.
    """

    labels: tuple[str, ...]
    activation: Literal["softmax", "sigmoid"]
    unit: Unit
    name: str = "classifier"
    description: str = ""
    weights: str = ""
    output: Literal["logits", "probabilities"] = "logits"
    reads: Literal["slices", "volume"] = "slices"
    pooling: Literal["max", "mean"] = "max"
    input: tuple[int, ...] = ()
    thresholds: dict[str, float] = field(default_factory=dict)
    preprocess: tuple[Step, ...] = ()
    architecture: Architecture | None = None

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels is {list(self.labels)}, and at least one label, each once, is expected")
        if self.activation == "softmax" and len(self.labels) < 2:
            raise ValueError("softmax needs at least two labels; a network with one logit has activation = 'sigmoid'")
        for label, threshold in self.thresholds.items():
            if label not in self.labels:
                raise ValueError(f"thresholds names {label!r}, which is no label: {one_of(label, self.labels)}")
            if not 0 < threshold < 1:
                raise ValueError(
                    f"the threshold of {label!r} is {threshold:g}, and it is a probability: above 0, below 1"
                )
        axes = 3 if self.reads == "slices" else 4
        if self.input and (len(self.input) != axes or min(self.input) < 1):
            shape = "[channel, y, x]" if self.reads == "slices" else "[channel, z, y, x]"
            raise ValueError(f"input is {list(self.input)}, and {shape} is expected where it reads {self.reads}")
        if any(isinstance(step, Layout) for step in self.preprocess[:-1]):
            raise ValueError("the step 'layout' is not the last one, and no step after it would know its axes")

    @property
    def findings(self) -> Findings:
        """Labels, activation and thresholds."""
        return Findings(self.labels, self.activation, dict(self.thresholds))


def read_card(path: Path) -> Card:
    """The card in a TOML file.

    Raises
    ------
    CardError
        The file cannot be read, or says something unknown or impossible.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CardError(
            f"The card {path.name} cannot be read ({error.strerror or error}): name a model.toml."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CardError(f"The card {path.name} is no TOML: {str(error).rstrip('.')}.") from error
    return card(table, path.name, path.parent.name or path.stem)


def card(table: Mapping[str, object], where: str = "", name: str = "classifier") -> Card:
    """The card that a table says; `name` is taken where the table names none.

    Raises
    ------
    CardError
        The table says something unknown or impossible.
    """
    rest = dict(table)
    of = f" of {where}" if where else ""
    ready: dict[str, object] = {"preprocess": _steps(rest.pop("preprocess", []), of)}
    if "architecture" in rest:
        content = rest.pop("architecture")
        if not isinstance(content, Mapping):
            raise CardError(
                f"The card{of and ' ' + where} has architecture = {content!r}, but a table is expected there."
            )
        ready["architecture"] = build(Architecture, content, f"[architecture]{of}")
    else:
        ready["architecture"] = None
    rest.setdefault("name", name)
    return build(Card, rest, f"The card{of and ' ' + where}", ready)


def _steps(tables: object, of: str) -> tuple[Step, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise CardError(f"The key preprocess{of} is {tables!r}, but [[preprocess]] tables are expected there.")
    found = []
    for number, table in enumerate(tables, 1):
        given = dict(table)
        name = given.pop("step", None)
        if not isinstance(name, str):
            raise CardError(f"Step {number}{of} lacks the key 'step': name one of {', '.join(names(STEPS))}.")
        if ":" in name or name not in names(STEPS):
            raise CardError(f"Step {number}{of} is {name!r}, which is no step: {one_of(name, names(STEPS))}.")
        try:
            kind = entry(name, STEPS)
        except CatalogueError as error:
            raise CardError(f"Step {number}{of} cannot be used: {error}") from error
        found.append(build(kind, given, f"Step {number} ({name}){of}"))
    return tuple(found)
