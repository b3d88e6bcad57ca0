"""Your model as ONNX: it answers queries and gives no gradient. Here one for colour, as of the skin or the retina."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from napari_medadv import Scale, Volume
from napari_medadv.model import load_classifier

# Your trained network; this one stands in for it. It ends with a softmax, which is found and turned back into logits.
network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
network.append(nn.Softmax(dim=1))

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the exporter
    torch.onnx.export(
        network.eval(),
        (torch.rand(2, 3, 192, 192),),
        "model.onnx",
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,
        verbose=False,
    )

Path("model.toml").write_text("""
name = "Skin lesion"
labels = ["naevus", "keratosis", "melanoma"]
activation = "softmax"
output = "probabilities"
unit = "level"                # 0 to 255

[thresholds]
melanoma = 0.2                # present above it, even where another label is more probable

[[preprocess]]
step = "pad"
size = "square"

[[preprocess]]
step = "resize"
size = [192, 192]

[[preprocess]]
step = "rescale"
source = [0, 255]
""")

classifier = load_classifier("model.onnx")

voxels = np.random.default_rng(0).integers(0, 256, (1, 150, 200, 3)).astype(np.uint8)
photograph = Volume(voxels, np.eye(4), Scale("level", 0, 255), photometric="RGB")
print(classifier.name, "-", classifier.predict(photograph).sentence, "- gradients:", classifier.white_box)
print(*classifier.facts, sep="\n")
