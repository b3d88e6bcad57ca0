"""Who can do what: every library and we are run on what a radiology classifier brings.

`python tests/benchmarks/who_can.py [--write]` prints the table, or writes it to docs/who_can.md. Needs torchattacks,
foolbox, adversarial-robustness-toolbox and adv-lib; one that is missing says so in its column.
"""

from __future__ import annotations

import argparse
import copy
import io
import logging
import signal
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

import peers  # type: ignore[import-not-found]
from who_can_calls import LIBRARIES, NoWord, Run  # type: ignore[import-not-found]
from who_can_cases import Case, Stopped, cases  # type: ignore[import-not-found]

PAGE = Path(__file__).parents[2] / "docs" / "who_can.md"
SECONDS = 6
SMALLEST = ("HopSkipJump", "DDN")
REFUSALS = (ValueError, NotImplementedError, AssertionError)
HEAD = """# Who can do what

Made by `python tests/benchmarks/who_can.py --write`, which runs each library's attacks and ours on linear toy classifiers
for which the answer is known: which images can be fooled within two thirds of the budget. Nothing here is typed.

* **yes**: all of these fooled, within the budget, the range, the region.
* **silently wrong**: it ran, said nothing, and the answer is not what was asked; behind it what is wrong.
* **crashes**, **refuses**: an error that was meant for nobody, or for the reader.
* **no word for it**: there is no argument with which to ask.

"""


def outcome(run: Run, case: Case, smallest: bool) -> str:
    """What came of it, in a few words."""
    fresh = copy.deepcopy(case)
    torch.manual_seed(0)
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            found = run(fresh).detach()
    except NoWord:
        return "no word for it"
    except Stopped:
        return "yes"
    except TimeoutError:
        return f"did not end in {SECONDS} CPU seconds"
    except ModuleNotFoundError as error:
        return f"not installed ({error.name})"
    except Exception as error:
        kind = type(error).__name__
        needs_gradient = kind == "AttackError" or (kind == "RuntimeError" and "grad" in str(error))
        if "query" in case.asks and needs_gradient:
            return "needs a gradient"
        return f"{'refuses' if isinstance(error, REFUSALS) else 'crashes'} ({kind})"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if "cancel" in case.asks:
        return "silently wrong: it went on"
    wrong = fresh.wrong(found, budget=not smallest)
    return f"silently wrong: {wrong}" if wrong else "yes"


def _too_long(number: int, frame: object) -> None:
    raise TimeoutError


def cell(attacks: dict[str, Run], case: Case) -> str:
    """The outcomes of a library's attacks, those that are alike together."""
    told: dict[str, list[str]] = {}
    for name, run in attacks.items():
        told.setdefault(outcome(run, case, name in SMALLEST), []).append(name)
    if len(told) == 1:
        return next(iter(told))
    return "; ".join(f"{', '.join(names)}: {what}" for what, names in told.items())


def table() -> str:
    """The table in Markdown: a row a case, a column a library."""
    lines = ["| | " + " | ".join(LIBRARIES) + " |", "|---" * (len(LIBRARIES) + 1) + "|"]
    for case in cases():
        cells = [cell(attacks, case) for attacks in LIBRARIES.values()]
        lines.append(f"| {case.name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, and write it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/who_can.md")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    found = table()
    if given.write:
        PAGE.write_text(HEAD + found, encoding="utf-8")


if __name__ == "__main__":
    del peers
    main()
