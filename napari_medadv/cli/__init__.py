"""The command line, `medadv`: one subcommand a module, each with `arguments(parser, words)` and `run(args) -> int`.

One that keeps what it finished when it is stopped says `RESUMES = True`.

Exit codes: 0 done, 1 an error of the program, 2 an error that the person can correct, 3 suspicious (`examine`) or no
pass (`verify`), 130 stopped by the person.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from napari_medadv import __version__
from napari_medadv.catalogue import names
from napari_medadv.cli.console import hush, speakable
from napari_medadv.errors import Cancelled, MedAdvError, too_long

SEAM = ("choice", "console", "screen", "settings_options", "threat_options")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    debugging = bool(os.environ.get("MEDADV_DEBUG"))
    if argv is None and not sys.warnoptions and not debugging:
        warnings.simplefilter("ignore")
    if argv is None:
        speakable()
    previous = signal.signal(signal.SIGTERM, _stop) if _in_main_thread() else None
    try:
        return _printed(words)
    except Cancelled as error:
        return _say(str(error), 130)
    except MedAdvError as error:
        return _say(str(error), 2)
    except KeyboardInterrupt:
        return _say("Stopped; nothing was written.", 130)
    except BrokenPipeError:
        hush()
        return 1
    except Exception as error:  # the last place before the person: no traceback reaches one who did not ask for it
        if debugging:
            raise
        if sentence := too_long(error):
            return _say(sentence, 2)
        said = " ".join(str(error).split())[:300] or "no message"
        return _say(
            f"An error of medadv itself ({type(error).__name__}: {said}): set MEDADV_DEBUG=1 to see where, and report it.",
            1,
        )
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)


def _printed(words: list[str]) -> int:
    """Run, and hand over what was printed now: at the end of the program, nobody could say that it was not taken."""
    try:
        return _run(words)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _run(words: list[str]) -> int:
    parser = _Parser(
        prog="medadv", description="Adversarial robustness audit of radiology classifiers.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"medadv {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    wanted = next((word for word in words if not word.startswith("-")), None)
    module, chosen = None, parser
    for module_name in names("napari_medadv.cli"):
        name, summary = module_name.replace("_", "-"), _summary(module_name)
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        if name == wanted:
            module = importlib.import_module(f"napari_medadv.cli.{module_name}")
            module.arguments(command, words)
            chosen = command
    args, unknown = parser.parse_known_args(words)
    if unknown:
        chosen.error(f"unrecognized arguments: {' '.join(unknown)}")
    if module is None:
        return 0
    from napari_medadv.cli.choice import memory_share

    try:
        with memory_share(args):
            return int(module.run(args))
    except (KeyboardInterrupt, Cancelled):
        if getattr(module, "RESUMES", False):
            return _say("Stopped; what was finished is kept, and the same words again go on from there.", 130)
        raise


def _summary(name: str) -> str:
    """The first line of a subcommand's docstring, read without importing it."""
    with (Path(__file__).parent / f"{name}.py").open(encoding="utf-8") as lines:
        return lines.readline().strip().strip('"').strip()


def _say(sentence: str, code: int) -> int:
    print(f"medadv: {sentence}", file=sys.stderr)
    return code


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _in_main_thread() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()


if __name__ == "__main__":
    sys.exit(main())
