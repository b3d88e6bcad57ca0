"""Picture: the content of a patch, or a change for all slices, in a file of its own: what was made on some series goes onto others."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
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
_DAMAGED = (
    ArithmeticError,
    EOFError,
    KeyError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy and the zip reader raise on a file that is cut, locked, altered, or says that it holds more than the memory."""


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
            ours = set(file) - {"unit"} == {kind}
    except (OSError, *_DAMAGED):
        ours = False
    if not ours:
        raise OutputError(f"{path.name} exists and holds no {kind}, so it is not written over: name another file.")


def keep(path: Path, content: Tensor, kind: Kind = "picture", unit: str | None = None) -> None:
    """Write `content`, float32, with a first axis of 1, in the unit of the volume, which is kept beside it; nothing that runs.

    Raises
    ------
    OutputError
        The file cannot be written, or holds something else.
    """
    vacant(path, kind)
    named: dict[str, Any] = {kind: content[0].detach().cpu().numpy().astype(np.float32)}
    if unit is not None:
        named["unit"] = np.array(unit)
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


def kept(path: Path, like: Tensor, kind: Kind = "picture", unit: str | None = None) -> Tensor:
    """The content of such a file, with a first axis of 1, on the device and with the channels of `like`.

    Raises
    ------
    AttackError
        The file holds no picture, or one of other channels or, where the file and the caller tell, of another unit.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            numbers, made_in = np.asarray(file[kind]), str(file["unit"]) if "unit" in file else None
            if numbers.dtype.kind not in "fiu":
                raise ValueError(f"{numbers.dtype} are no real numbers")
            with np.errstate(over="ignore"):  # what float32 cannot hold is not finite, which is said below
                found = torch.from_numpy(np.array(numbers, np.float32))[None]
    except OSError as fault:
        raise AttackError(
            f"The {kind} {path} cannot be read ({system_reason(fault)}): name a file that {_MAKER[kind]} kept."
        ) from fault
    except _DAMAGED as error:
        raise AttackError(f"{path} holds no {kind}: name a file that {_MAKER[kind]} kept.") from error
    if found.ndim != 1 + _AXES[kind] or not found.numel() or not bool(found.isfinite().all()):
        raise AttackError(
            f"The {kind} in {path} is not rows and columns of finite numbers: name one that {_MAKER[kind]} kept."
        )
    if found.shape[1] != like.shape[1]:
        raise AttackError(
            f"The {kind} in {path} has {found.shape[1]} channels and the series {like.shape[1]}: choose one made on such series."
        )
    if unit is not None and made_in is not None and made_in != unit:
        raise AttackError(
            f"The {kind} in {path} is in {made_in[:40]} and the series in {unit}: choose one made on such series."
        )
    return found.to(like)
