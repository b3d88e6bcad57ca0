"""Picture: the content of a patch, or a change for all slices, in a file of its own: what was made on some series goes onto others."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from napari_medadv.errors import AttackError, OutputError, system_reason

Kind = Literal["picture", "change"]
"""The content of a patch, (channel, row, column), or a change for all slices (or volumes), (channel, z, row, column)."""

_AXES: dict[Kind, int] = {"picture": 3, "change": 4}
_MAKER: dict[Kind, str] = {"picture": "`patch`", "change": "`universal`"}


def vacant(path: Path, kind: Kind = "picture") -> None:
    """Refuse, before anything is learned, a file that holds something else than an earlier result of this kind.

    Raises
    ------
    OutputError
        The file is taken, or its folder is not there.
    """
    if not path.parent.is_dir():
        raise OutputError(
            f"The folder of {path} does not exist, so the {kind} cannot be kept there: name another file."
        )
    if not path.exists():
        return
    try:
        with np.load(path, allow_pickle=False) as file:
            ours = list(file) == [kind]
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        ours = False
    if not ours:
        raise OutputError(f"{path.name} exists and holds no {kind}, so it is not written over: name another file.")


def keep(path: Path, content: Tensor, kind: Kind = "picture") -> None:
    """Write `content`, float32, with a first axis of 1, in the unit of the volume; numbers only, nothing that runs.

    Raises
    ------
    OutputError
        The file cannot be written, or holds something else.
    """
    vacant(path, kind)
    named: dict[str, Any] = {kind: content[0].detach().cpu().numpy().astype(np.float32)}
    aside = path.with_name(f".{path.name}.partial")
    try:
        try:
            with aside.open("wb") as file:
                np.savez_compressed(file, **named)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as fault:
        raise OutputError(
            f"The {kind} cannot be written to {path} ({system_reason(fault)}): choose another file."
        ) from fault


def kept(path: Path, like: Tensor, kind: Kind = "picture") -> Tensor:
    """The content of such a file, with a first axis of 1, on the device and with the channels of `like`.

    Raises
    ------
    AttackError
        The file holds no picture, or one of other channels.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = torch.from_numpy(np.array(file[kind], np.float32))[None]
    except OSError as fault:
        raise AttackError(
            f"The {kind} {path} cannot be read ({system_reason(fault)}): name a file that {_MAKER[kind]} kept."
        ) from fault
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise AttackError(f"{path} holds no {kind}: name a file that {_MAKER[kind]} kept.") from error
    if found.ndim != 1 + _AXES[kind] or not found.numel() or not bool(found.isfinite().all()):
        raise AttackError(
            f"The {kind} in {path} is not rows and columns of finite numbers: name one that {_MAKER[kind]} kept."
        )
    if found.shape[1] != like.shape[1]:
        raise AttackError(
            f"The {kind} in {path} has {found.shape[1]} channels and the series {like.shape[1]}: choose one made on such series."
        )
    return found.to(like)
