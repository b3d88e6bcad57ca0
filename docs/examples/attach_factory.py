"""Your model as Python: a factory that is run only when you say that you trust it, and a module that is in memory."""

import sys
from pathlib import Path

import numpy as np

from napari_medadv import Scale, Volume
from napari_medadv.errors import ModelError
from napari_medadv.model import attach, load_classifier

# A module of your own on PYTHONPATH: any network that torch can run, with any code.
Path("my_models.py").write_text("""
from torch import nn

def nodules():
    network = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1))
    # network.load_state_dict(torch.load("nodules.pth", weights_only=True))
    return network
""")
sys.path.insert(0, str(Path.cwd()))

Path("nodules.toml").write_text("""
labels = ["nodule"]
activation = "sigmoid"
unit = "HU"

[[preprocess]]
step = "window"
center = -600
width = 1500
""")

voxels = np.random.default_rng(0).integers(0, 2000, (4, 96, 96)).astype(np.int16)
ct = Volume(voxels, np.eye(4), Scale("HU", 0, 4095, intercept=np.array([-1024.0])))

try:
    load_classifier("my_models:nodules", Path("nodules.toml"))
except ModelError as refusal:
    print(refusal)
trusted = load_classifier("my_models:nodules", Path("nodules.toml"), trust_code=True)
print("factory -", trusted.predict(ct).sentence)

# In a script or a notebook there is no file: the keys of a card are arguments.
from my_models import nodules  # noqa: E402 - where a reader of this page needs it

window = {"step": "window", "center": -600, "width": 1500}
in_memory = attach(nodules(), labels=["nodule"], activation="sigmoid", unit="HU", preprocess=[window])
print("in memory -", in_memory.predict(ct).sentence)
