"""File formats of networks, one a module; `names("napari_medadv.model.formats")` lists them. None runs a pickle."""

SEAM = ("architecture", "format", "pickles", "records", "screening")
