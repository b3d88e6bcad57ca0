"""Steps of preprocessing, one a module; `names("napari_medadv.model.preprocess")` lists them.

Each is a frozen dataclass whose fields are the keys of its table in the card. It takes and gives
(batch, channel, y, x) or (batch, channel, z, y, x), and gradients pass through it.
"""

SEAM = ("resample", "size")
