"""See it work on the embedded samples: predicted, attacked, written, read back, and shown."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_medadv.cli.console import show, watched
from napari_medadv.cli.screen import has_screen, require_viewer
from napari_medadv.errors import Cancelled, MedAdvError, OutputError
from napari_medadv.progress import Progress, part

if TYPE_CHECKING:
    from napari_medadv.attacks import Perturbation
    from napari_medadv.audit.delivery import Delivery
    from napari_medadv.dicom import Series
    from napari_medadv.model import Classifier
    from napari_medadv.samples import Sample


class _Shown(NamedTuple):
    series: Series
    classifier: Classifier
    perturbation: Perturbation
    delivery: Delivery


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """--out, --no-window and --json."""
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("demo_out"), help="a new folder for all results (demo_out)"
    )
    parser.add_argument(
        "--no-window",
        action="store_true",
        help="do not keep napari open; its pictures are saved where there is a display",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Attack every sample, save everything, and open napari where there is a display."""
    from napari_medadv.samples import SAMPLES

    out = _free(args.out)
    shown: dict[str, _Shown] = {}
    words, skipped = [], {}
    with watched() as progress:
        for number, sample in enumerate(SAMPLES):
            share = part(progress, number / len(SAMPLES), (number + 1) / len(SAMPLES))
            try:
                shown[sample.name] = _attacked(sample, out / sample.name, share)
            except Cancelled:
                raise
            except MedAdvError as error:
                skipped[sample.name] = str(error)
                words.append(f"{sample.name}: left out. {error}\n")
                continue
            words.append(f"{sample.name}, {shown[sample.name].classifier.name}\n{shown[sample.name].delivery.words}\n")
    facts = {
        "out": str(out),
        "samples": {name: one.delivery.facts for name, one in shown.items()},
        "left_out": skipped,
    }
    if not shown:
        raise OutputError(f"No sample could be shown: {next(iter(skipped.values()))}")
    seen = has_screen()
    if not seen:
        words.append("not shown: there is no display to open napari on")
    show("\n".join(words), facts, as_json=args.json)
    if seen:
        _open(next(reversed(shown.values())), out / "napari", keep=not args.no_window)
    return 0


def _attacked(sample: Sample, folder: Path, progress: Progress) -> _Shown:
    from napari_medadv.attacks import perturb
    from napari_medadv.attacks.pgd import PGD
    from napari_medadv.audit.delivery import Writing, deliver
    from napari_medadv.audit.record import attachment
    from napari_medadv.dicom import decode, scan
    from napari_medadv.model import load_classifier
    from napari_medadv.threat import Conceal, Linf, Threat

    source, out = sample.series(folder / "source"), folder / "attacked"
    (series,) = scan(source)
    classifier = load_classifier(sample.model)
    volume = decode(series, progress=part(progress, 0.0, 0.1))
    threat = Threat(Conceal(sample.conceal), Linf(sample.epsilon))
    found = perturb(classifier, volume, threat, PGD(), progress=part(progress, 0.1, 0.8))
    attached = attachment(str(sample.model), None, trust_code=False, out=out)
    delivery = deliver(found, classifier, attached, series, Writing(out, source), progress=part(progress, 0.8, 1.0))
    return _Shown(series, classifier, found, delivery)


def _open(one: _Shown, pictures: Path, *, keep: bool) -> None:
    """Napari with the sample loaded, attacked and overlaid; its pictures are saved."""
    require_viewer()
    from napari_medadv.widgets.opener import show_demo

    viewer = show_demo(one.series, one.classifier, one.perturbation, pictures=pictures, block=keep)
    if not keep:
        viewer.close()


def _free(out: Path) -> Path:
    """`out`, or the first of `out_2`, `out_3`, ... that is not taken: a demonstration overwrites nothing."""
    found, number = out, 1
    while found.exists() and not (found.is_dir() and not any(found.iterdir())):
        number += 1
        found = out.with_name(f"{out.name}_{number}")
    return found
