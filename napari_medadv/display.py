"""Nouns as napari LayerData tuples; imports no napari."""
