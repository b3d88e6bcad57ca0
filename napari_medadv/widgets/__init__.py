"""The only folder that knows Qt and napari."""
