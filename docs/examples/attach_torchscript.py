"""Your model as TorchScript: for a file that you have already. torch deprecates the format; prefer torch.export."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from napari_medadv import Scale, Volume
from napari_medadv.model import load_classifier

# Your trained network, made for three channels and ImageNet's statistics; this one stands in for it.
network = nn.Sequential(
    nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
)
network.append(nn.Linear(8, 2))

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    torch.jit.trace(network.eval(), torch.rand(1, 3, 224, 224)).save("radiograph.pt")

Path("radiograph.toml").write_text("""
name = "Pneumonia"
labels = ["no finding", "pneumonia"]
activation = "softmax"
unit = "presentation value"   # 0 to 1, as the radiograph is displayed: black 0, white 1, MONOCHROME1 turned round

[[preprocess]]
step = "resize"
size = 256                    # of the shorter side

[[preprocess]]
step = "crop"                 # the middle
size = [224, 224]

[[preprocess]]
step = "repeat"
channels = 3

[[preprocess]]
step = "standardise"
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
""")

classifier = load_classifier("radiograph.pt")

voxels = np.random.default_rng(0).integers(0, 4096, (1, 400, 320)).astype(np.uint16)
radiograph = Volume(voxels, np.eye(4), Scale("stored value", 0, 4095), photometric="MONOCHROME1")
print(classifier.name, "-", classifier.predict(radiograph).sentence)
