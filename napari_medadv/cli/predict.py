"""Say what a classifier says of a series."""

from __future__ import annotations

import argparse

from napari_medadv.cli.choice import (
    allow_argument,
    chosen_classifier,
    chosen_series,
    classifier_arguments,
    series_arguments,
)
from napari_medadv.cli.console import show, watched
from napari_medadv.progress import part


def arguments(parser: argparse.ArgumentParser, words: list[str]) -> None:
    """PATH, --series, --allow, --model and --json."""
    series_arguments(parser)
    allow_argument(parser)
    classifier_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace) -> int:
    """Predict."""
    from napari_medadv.audit.record import said

    with watched() as progress:
        chosen = chosen_series(args.path, args.series, part(progress, 0.0, 0.1))
        classifier = chosen_classifier(args)
        volume = chosen.volume(part(progress, 0.1, 0.4), allow=args.allow)
        prediction = classifier.predict(volume, progress=part(progress, 0.4, 1.0))
    facts = {
        "series_uid": volume.series_uid,
        "classifier": {"name": classifier.name, "sha256": classifier.sha256, "facts": list(classifier.facts)},
        "prediction": said(prediction),
        "facts": list(volume.facts),
    }
    words = [f"{classifier.name}: {prediction.sentence}   (* marks what is present)", *classifier.facts, *volume.facts]
    show("\n".join(words), facts, as_json=args.json)
    return 0
