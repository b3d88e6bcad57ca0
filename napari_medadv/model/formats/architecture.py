"""Architecture: a network of MONAI that the card names, filled with bare weights."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from torch import Tensor, nn

from napari_medadv.errors import CardError, MissingExtra, ModelError
from napari_medadv.model.fields import one_of
from napari_medadv.model.formats.format import Source

NAMES = (
    *("Classifier", "DenseNet", "DenseNet121", "DenseNet169", "DenseNet201", "DenseNet264", "Discriminator"),
    *("EfficientNet", "EfficientNetBN", "FullyConnectedNet", "Regressor", "ResNet", "SENet", "SENet154"),
    *("SEResNet50", "SEResNet101", "SEResNet152", "SEResNeXt50", "SEResNext101", "ViT"),
    *("resnet10", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet200"),
)
_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "network", "net")
_PREFIXES = ("module.", "model.", "network.", "net.", "_orig_mod.")


def build(source: Source) -> nn.Module:
    """The network that the card's [architecture] names, with fresh weights.

    Raises
    ------
    CardError
        There is no [architecture], or not of that name or with those arguments.
    MissingExtra
        MONAI is not installed.
    """
    wanted = source.card.architecture
    if wanted is None:
        raise CardError(
            f"{source.file.name} holds bare weights, and the card names no network for them: "
            'add [architecture] with name = "DenseNet121" or the like, or export the whole network with torch.export.'
        )
    if wanted.name not in NAMES:
        raise CardError(
            f"[architecture] has name = {wanted.name!r}, which is no classifier of MONAI: {one_of(wanted.name, NAMES)}."
        )
    try:
        from monai.networks import nets
    except ImportError as error:
        raise MissingExtra("monai", "monai", "A bare state_dict") from error
    kind = getattr(nets, wanted.name)
    known = inspect.signature(kind).parameters
    arguments = dict(wanted.arguments)
    if arguments.pop("pretrained", False):
        raise CardError(
            "[architecture.arguments] has pretrained = true, which downloads weights that the file would replace: take it out."
        )
    if "pretrained" in known:
        arguments["pretrained"] = False
    try:
        found = kind(**arguments)
    except Exception as error:  # a network's constructor may raise anything
        words = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise CardError(
            f"{wanted.name} cannot be built from [architecture.arguments] ({words}): correct them."
        ) from error
    if not isinstance(found, nn.Module):
        raise CardError(f"{wanted.name} is no network: name a class of monai.networks.nets.")
    return found


def fill(network: nn.Module, content: object, source: Source) -> None:
    """Load bare weights, with or without what trainers put round them, into the network.

    Raises
    ------
    ModelError
        They are no weights, or those of another network.
    """
    weights = _weights(content)
    name = source.file.name
    kind = source.card.architecture.name if source.card.architecture else type(network).__name__
    if not weights:
        raise ModelError(f"{name} holds no weights by name: save network.state_dict().")
    wanted = {key: value for key, value in network.state_dict().items() if isinstance(value, Tensor)}
    for key in sorted(wanted.keys() & weights.keys()):
        if wanted[key].shape != weights[key].shape:
            raise ModelError(
                f"{name} does not fit {kind}: {key} is {tuple(weights[key].shape)} in the file and {tuple(wanted[key].shape)} "
                "in the network; correct [architecture.arguments] (channels, classes, dimensions)."
            )
    missing, extra = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    extra = [key for key in extra if not key.endswith("num_batches_tracked")]
    if missing or extra:
        lacks = (
            f"{len(missing)} of its weights are not in the file ({missing[0]})"
            if missing
            else "all of its weights are there"
        )
        more = f"{len(extra)} in the file are not its ({extra[0]})" if extra else "none is left over"
        raise ModelError(f"{name} does not fit {kind}: {lacks}, and {more}; correct [architecture].")
    network.load_state_dict({key: weights.get(key, value) for key, value in wanted.items()})


def _weights(content: object) -> dict[str, Tensor]:
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            return _weights(content[key])
    if not isinstance(content, Mapping):
        return {}
    found = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    for prefix in _PREFIXES:
        if found and all(key.startswith(prefix) for key in found):
            return _weights({key.removeprefix(prefix): value for key, value in found.items()})
    return found
