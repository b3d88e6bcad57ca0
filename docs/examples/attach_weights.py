"""Your model as bare weights (a state_dict or safetensors) for a network of MONAI; here one that reads whole volumes."""

from pathlib import Path

import numpy as np
import torch
from monai.networks.nets import DenseNet
from safetensors.torch import save_file

from napari_medadv import Scale, Volume
from napari_medadv.model import load_classifier

# Your trained network; this one stands in for it.
network = DenseNet(3, 1, 3, init_features=8, growth_rate=4, block_config=(2, 2))

torch.save(network.state_dict(), "weights.pth")  # never torch.save(network): a pickled module is refused
save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, "weights.safetensors")

Path("weights.toml").write_text("""
name = "Findings of a chest CT"
labels = ["nodule", "effusion", "emphysema"]
activation = "sigmoid"        # each label for itself
unit = "HU"
reads = "volume"

[[preprocess]]
step = "rescale"
source = [-1000, 400]
target = [0, 1]
outside = "clip"

[[preprocess]]
step = "resize"
size = [24, 48, 48]           # z, y, x

[architecture]
name = "DenseNet"             # or DenseNet121, resnet18, EfficientNetBN, SEResNet50, ViT, ...

[architecture.arguments]
spatial_dims = 3
in_channels = 1
out_channels = 3
init_features = 8
growth_rate = 4
block_config = [2, 2]
""")

voxels = np.random.default_rng(0).integers(0, 2000, (32, 64, 64)).astype(np.int16)
ct = Volume(voxels, np.eye(4), Scale("HU", 0, 4095, intercept=np.array([-1024.0])))
for weights in ("weights.pth", "weights.safetensors"):
    print(weights, "-", load_classifier(weights).predict(ct).sentence)
