"""The docks and commands in napari; the only folder that knows Qt and napari."""
