"""The README's table of attacks, made from the attacks themselves: ``python docs/attack_table.py [--write]``."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path

from napari_medadv.catalogue import entry, names

HOME = "napari_medadv.attacks"
README = Path(__file__).parent.parent / "README.md"
BETWEEN = re.compile(r"(?<=<!-- attacks -->\n).*?(?=<!-- end -->)", re.DOTALL)


def table() -> str:
    """One row an attack, in Markdown."""
    rows = ["| name | attack | learns of the classifier | looks for | norms |", "|---|---|---|---|---|"]
    for name in names(HOME):
        kind = entry(name, HOME)
        first = (importlib.import_module(kind.__module__).__doc__ or "").strip().splitlines()[0]
        words = re.sub(r",? (https?://[^\s,]*[^\s,:])(:?)", r" ([paper](\1))\2", first.rstrip("."))
        norms = ", ".join(norm if isinstance(norm, str) else norm.__name__ for norm in kind.norms)
        rows.append(f"| `{name}` | {words} | {kind.knowledge} | {kind.aim} | {norms} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put it into the README")
    made = table()
    if parser.parse_args().write:
        README.write_text(BETWEEN.sub(lambda _: made, README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(made, end="")


if __name__ == "__main__":
    main()
