"""Classifiers: a network file and a card become a `Classifier`."""

from napari_medadv.model.card import Card, read_card
from napari_medadv.model.classifier import Classifier
from napari_medadv.model.load import attach, load_classifier

__all__ = ["Card", "Classifier", "attach", "load_classifier", "read_card"]
