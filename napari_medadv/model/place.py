"""Where the two files of a classifier lie: its weights and its card."""

from __future__ import annotations

from pathlib import Path

from napari_medadv.errors import CardError, ModelError
from napari_medadv.model.card import Card, read_card

SUFFIXES = (".pt2", ".pt", ".pth", ".ts", ".torchscript", ".ckpt", ".bin", ".safetensors", ".onnx")


def place(given: Path | str, card: Path | None = None) -> tuple[Path | str, Card]:
    """The weights and the card, from either, from the folder that holds both, or from `module:callable` and a card.

    Raises
    ------
    CardError
        No card is found, or it is wrong.
    ModelError
        No weights are found.
    """
    if is_factory(given):
        if card is None:
            raise CardError(f"{given} is a Python factory and has no card beside it: name its card as well.")
        return str(given), read_card(Path(card))
    path = Path(given)
    if path.is_dir():
        path = path / "model.toml"
        if not path.is_file():
            folder = path.parent.resolve().name
            raise CardError(f"The folder {folder} holds no model.toml: name the weights or the card itself.")
    if not path.exists():
        raise ModelError(f"There is no file {path}: name the weights, their card or the folder of both.")
    if path.suffix == ".toml":
        found = read_card(path)
        return weights_of(found, path), found
    beside = [Path(card)] if card else [path.with_suffix(".toml"), path.with_name("model.toml")]
    for candidate in beside:
        if candidate.is_file():
            return path, read_card(candidate)
    if card:
        raise CardError(f"There is no card {card}: name a model.toml.")
    names = " or ".join(dict.fromkeys(each.name for each in beside))
    raise CardError(f"No card was found beside {path.name}: write {names} with labels, activation and unit.")


def weights_of(card: Card, path: Path) -> Path | str:
    """The weights that the card in the file `path` names, or that lie beside it under its own name."""
    if is_factory(card.weights):
        return card.weights
    if card.weights:
        named = path.parent / card.weights
        if not named.is_file():
            raise ModelError(f"The card {path.name} names the weights {card.weights!r}, and no such file is beside it.")
        return named
    beside = [found for suffix in SUFFIXES if (found := path.with_suffix(suffix)).is_file()]
    if len(beside) != 1:
        raise ModelError(
            f"The card {path.name} names no weights, and {len(beside)} files of its name are beside it: add `weights`."
        )
    return beside[0]


def is_factory(given: Path | str) -> bool:
    """Whether a text is `module:callable`, and not a path."""
    module, colon, name = str(given).partition(":")
    dotted = all(part.isidentifier() for part in module.split("."))
    return isinstance(given, str) and bool(colon) and dotted and name.isidentifier()
