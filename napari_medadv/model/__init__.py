"""Classifiers: a network file and a card become a `Classifier`."""

from napari_medadv.model.classifier import Classifier

__all__ = ["Classifier"]
