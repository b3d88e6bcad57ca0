"""Your model as torch.export: one file that needs none of your code, and gives gradients. The recommended format."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from napari_medadv import Scale, Volume
from napari_medadv.model import load_classifier

# Your trained network; this one stands in for it.
network = nn.Sequential(
    nn.Conv2d(1, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
)
network.append(nn.Linear(8, 1))

network.eval()  # before the export: dropout and batch norms stay as they are when it is traced
slices = torch.rand(2, 1, 224, 224)
program = torch.export.export(network, (slices,), dynamic_shapes=({0: torch.export.Dim("batch")},))
for node in program.graph.nodes:
    node.meta.pop("stack_trace", None)  # it holds the paths of your source files
torch.export.save(program, "model.pt2")

Path("model.toml").write_text("""
name = "Lung nodule"
labels = ["nodule"]
activation = "sigmoid"        # one logit
unit = "HU"
reads = "slices"
pooling = "max"               # the series has a nodule where one slice has

[thresholds]
nodule = 0.35

[[preprocess]]
step = "window"               # a lung window becomes 0 to 1
center = -600
width = 1500

[[preprocess]]
step = "resize"
size = [224, 224]
""")

classifier = load_classifier("model.pt2")  # or "model.toml", or the folder of both

voxels = np.random.default_rng(0).integers(0, 2000, (4, 128, 128)).astype(np.int16)
ct = Volume(voxels, np.eye(4), Scale("HU", 0, 4095, intercept=np.array([-1024.0])))
print(classifier.name, "-", classifier.predict(ct).sentence, "- gradients:", classifier.white_box)
