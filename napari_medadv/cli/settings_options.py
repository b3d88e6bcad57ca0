"""The settings of an attack as command-line options, made from the fields of its dataclass."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from napari_medadv.catalogue import entry, names
from napari_medadv.errors import MedAdvError, SettingError
from napari_medadv.settings import describe, fields

HOME = "napari_medadv.attacks"


def add_settings(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """--attack, --set, an option for every field of the attack that `words` names, and the list of all attacks."""
    parser.add_argument(
        "--attack", metavar="NAME", default="pgd", help="an attack listed below, or module:Class of your own"
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="a setting of the attack; repeatable",
    )
    name = named(words)
    try:
        own = fields(entry(name, HOME))
    except MedAdvError:
        if not {"-h", "--help"} & set(words):  # else its settings would be called unknown options
            raise
        own = {}
    group = parser.add_argument_group(f"settings of {name}")
    taken = {option for action in parser._actions for option in action.option_strings}
    for field, (annotation, default) in own.items():
        option = f"--{field.replace('_', '-')}"
        if option not in taken:
            words_of = describe(annotation) + ("" if default is dataclasses.MISSING else f" (default: {default})")
            group.add_argument(option, dest=f"setting_{field}", metavar="VALUE", help=words_of.replace("%", "%%"))
    hidden = [field for field in own if f"--{field.replace('_', '-')}" in taken]
    if hidden:
        group.description = f"given by --set alone: {', '.join(hidden)}"
    parser.epilog = "attacks and their settings:\n" + "\n".join(_line(each) for each in names(HOME))


def chosen_attack(args: argparse.Namespace) -> Any:
    """The attack with its settings."""
    from napari_medadv.settings import make

    given = {}
    for words in args.settings:
        name, equals, value = words.partition("=")
        if not equals:
            raise SettingError(f"--set takes NAME=VALUE, not {words!r}.")
        given[name.strip().replace("-", "_")] = value.strip()
    for key, value in vars(args).items():
        if key.startswith("setting_") and value is not None:
            given[key.removeprefix("setting_")] = value
    return make(entry(args.attack, HOME), given)


def named(words: list[str]) -> str:
    """The attack that a command line names, before it is parsed."""
    for place, word in enumerate(words):
        if word.startswith("--attack="):
            return word.partition("=")[2]
        if word == "--attack" and place + 1 < len(words):
            return words[place + 1]
    return "pgd"


def _line(name: str) -> str:
    kind = entry(name, HOME)
    own = ", ".join(
        field if default is dataclasses.MISSING else f"{field}={default}"
        for field, (_, default) in fields(kind).items()
    )
    return f"  {name:<12} {(kind.__doc__ or '').strip().splitlines()[0]}\n  {'':<12} {own}"
