"""Picture: the content of a patch in a file of its own, so that what was made on some series can be put onto others."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from napari_medadv.errors import AttackError, OutputError, system_reason


def keep(path: Path, content: Tensor) -> None:
    """Write `content`, float32 (1, channel, row, column), in the unit of the volume; numbers only, nothing that runs.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, picture=content[0].detach().cpu().numpy().astype(np.float32))
    except OSError as fault:
        raise OutputError(
            f"The picture cannot be written to {path} ({system_reason(fault)}): choose another file."
        ) from fault


def kept(path: Path, like: Tensor) -> Tensor:
    """The content of such a file, (1, channel, row, column), on the device and with the channels of `like`.

    Raises
    ------
    AttackError
        The file holds no picture, or one of other channels.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = torch.from_numpy(np.array(file["picture"], np.float32))[None]
    except OSError as fault:
        raise AttackError(
            f"The picture {path} cannot be read ({system_reason(fault)}): name a file that `patch` kept."
        ) from fault
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise AttackError(f"{path} holds no picture: name a file that `patch` kept.") from error
    if found.ndim != 4 or not found.numel() or not bool(found.isfinite().all()):
        raise AttackError(
            f"The picture in {path} is not rows and columns of finite numbers: name one that `patch` kept."
        )
    if found.shape[1] != like.shape[1]:
        raise AttackError(
            f"The picture in {path} has {found.shape[1]} channels and the series {like.shape[1]}: choose one made on such series."
        )
    return found.to(like)
