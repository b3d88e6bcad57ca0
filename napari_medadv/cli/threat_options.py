"""A threat as command-line options: what is wished, how far it may go, and where."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medadv.errors import RegionError, ThreatError

if TYPE_CHECKING:
    from napari_medadv.threat import Amount, Goal, Region
    from napari_medadv.threat.ball import Norm


def threat_arguments(parser: argparse.ArgumentParser, *, several: bool = False) -> argparse._MutuallyExclusiveGroup:
    """Goal, budget (or `several`) and region; gives the group of goals."""
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument("--conceal", metavar="LABEL", help="hide a finding on every attacked slice, or in the volume")
    goal.add_argument("--fabricate", metavar="LABEL", help="make a finding appear")
    goal.add_argument("--confuse", action="store_true", help="any other decision than the clean one")
    goal.add_argument("--swap", metavar=("A", "B"), nargs=2, help="hide the finding A and make B appear")
    parser.add_argument(
        "--others-stay",
        action="store_true",
        help="with --conceal or --fabricate: every other label stays as it was (one probability a label)",
    )
    parser.add_argument(
        "--confidence",
        metavar="P",
        type=float,
        help="with --fabricate: until the probability is above P; with --conceal: until it is below P",
    )
    parser.add_argument(
        "--epsilon",
        type=float,
        required=True,
        action="append" if several else "store",
        help="the budget, in the unit of the series (HU for a CT) or in --measure"
        + ("; may be repeated" if several else ""),
    )
    parser.add_argument(
        "--measure",
        choices=["native", "percent", "grey", "jnd", *(() if several else ("psnr",))],
        default="native",
        help="what --epsilon counts, in the default window: per cent of it, grey levels of 255, just noticeable differences"
        + ("" if several else ", or the PSNR in dB to keep")
        + "; for l2 the root mean square",
    )
    parser.add_argument(
        "--display",
        metavar=("DARKEST", "BRIGHTEST"),
        nargs=2,
        type=float,
        default=(1.0, 350.0),
        help="the luminance range, in cd/m2, of the display calibrated to DICOM PS3.14 that jnd refers to (1 350)",
    )
    parser.add_argument(
        "--norm",
        choices=["linf", "l2", "l1", "l0"],
        help="linf (the default) bounds each voxel; l2"
        + ("" if several else " (the default for psnr)")
        + ", l1 and l0 (a number of voxels) each slice, or the volume",
    )
    parser.add_argument("--slices", metavar="A:B", help="only slices A to B, counted from 0, B excluded")
    parser.add_argument(
        "--region", metavar="FILE", type=Path, help="a .npy, .tif or .png mask (z, y, x): only where it is not 0"
    )
    parser.add_argument("--avoid", metavar="FILE", type=Path, help="such a mask: only where it is 0")
    return goal


def chosen_goal(args: argparse.Namespace) -> Goal:
    """The goal that the arguments name.

    Raises
    ------
    ThreatError
        They do not go together.
    """
    from napari_medadv.threat import Alone, Conceal, Confuse, Fabricate, Reach, Swap

    one = args.conceal if args.conceal is not None else args.fabricate
    if one is None and (args.others_stay or args.confidence is not None):
        word = "--others-stay" if args.others_stay else "--confidence"
        raise ThreatError(
            f"{word} was given without a finding to change: give --conceal LABEL or --fabricate LABEL, too."
        )
    if args.others_stay and args.confidence is not None:
        raise ThreatError("--others-stay and --confidence were both given, and a goal is one of them: choose one.")
    if args.swap is not None:
        return Swap(*args.swap)
    if one is None:
        return Confuse()
    hides = args.conceal is not None
    if args.others_stay:
        return Alone(one, "conceal" if hides else "fabricate")
    if args.confidence is not None:
        return Reach(one, args.confidence, "at most" if hides else "at least")
    return Conceal(one) if hides else Fabricate(one)


def chosen_budget(args: argparse.Namespace) -> tuple[Amount, Norm]:
    """The budget as it was said, and its norm; what no series could make good is refused here."""
    ((asked,), norm) = _budgets(args, [args.epsilon])
    return asked, norm


def chosen_budgets(args: argparse.Namespace) -> tuple[tuple[Amount, ...], Norm]:
    """The same of several budgets, from small to large."""
    return _budgets(args, sorted(set(args.epsilon)))


def _budgets(args: argparse.Namespace, epsilons: list[float]) -> tuple[tuple[Amount, ...], Norm]:
    """Amounts and their norm.

    Raises
    ------
    ThreatError
        Nothing could change within it, or the measure says nothing of the norm.
    """
    from napari_medadv.threat import Amount

    norms: dict[str | None, Norm] = {"linf": "Linf", "l2": "L2", "l1": "L1", "l0": "L0"}
    norm = norms.get(args.norm, "L2" if args.measure == "psnr" else "Linf")
    asked = tuple(Amount(epsilon, args.measure, *args.display) for epsilon in epsilons)
    for each in asked:
        each.fits(norm)
    return asked, norm


def chosen_region(args: argparse.Namespace, shape: tuple[int, int, int]) -> Region:
    """Where voxels may change, in a volume of this shape (z, y, x)."""
    from napari_medadv.threat import Region
    from napari_medadv.threat.region import read_mask

    mask = None if args.region is None else read_mask(args.region, shape)
    if args.avoid is not None:
        outside = ~read_mask(args.avoid, shape)
        mask = outside if mask is None else mask & outside
    return Region(mask, None if args.slices is None else _slices(args.slices, shape[0]))


def _slices(words: str, count: int) -> tuple[int, ...]:
    first, colon, end = words.partition(":")
    try:
        start = int(first) if first or not colon else 0
        stop = (int(end) if end else count) if colon else start + 1
    except ValueError:
        raise RegionError(f"--slices takes A:B, counted from 0, not {words!r}.") from None
    if not 0 <= start < stop <= count:
        raise RegionError(f"--slices {words} lies outside the {count} slices of this series: choose from 0:{count}.")
    return tuple(range(start, stop))
