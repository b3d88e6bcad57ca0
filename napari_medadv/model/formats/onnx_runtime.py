"""ONNX through onnxruntime: a network that answers queries and gives no gradient."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from napari_medadv.errors import MissingExtra, ModelError
from napari_medadv.model.digest import of_content, of_files
from napari_medadv.model.formats.format import Opened, Source

_LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f]|[\x80-\xff][\x01-\x1f])")
"""The key and the length of a text that names a file with weights (StringStringEntryProto of TensorProto.external_data)."""

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


@dataclass(frozen=True, slots=True, eq=False)
class _Session:
    """An onnxruntime session as a function of tensors."""

    session: Any
    given: str
    kind: type[Any]
    answer: str

    def __call__(self, values: Tensor) -> Tensor:
        content = values.detach().cpu().numpy().astype(self.kind)
        try:
            (found,) = self.session.run([self.answer], {self.given: content})
        except Exception as error:  # onnxruntime has its own kinds, which no public class joins
            raise ValueError((str(error).strip().splitlines() or [type(error).__name__])[0]) from error
        return torch.from_numpy(np.asarray(found)).to(values.device)


class OnnxRuntime:
    """A network in ONNX."""

    says: ClassVar[str] = "ONNX (.onnx)"

    def claims(self, weights: Path | str) -> bool:
        """By suffix."""
        return isinstance(weights, Path) and weights.suffix.lower() == ".onnx"

    def __call__(self, source: Source) -> Opened:
        """A session on the CPU, or on CUDA where onnxruntime can."""
        try:
            onnxruntime: Any = importlib.import_module("onnxruntime")
        except ImportError as error:
            raise MissingExtra("onnxruntime", "onnx", "An ONNX network") from error
        content, name = source.content(), source.file.name
        digest = _digest(source, content)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        wanted = ["CUDAExecutionProvider"] if source.device.type == "cuda" else []
        providers = [one for one in wanted if one in onnxruntime.get_available_providers()]
        try:
            session = onnxruntime.InferenceSession(
                str(source.file), options, providers=[*providers, "CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # onnxruntime has its own kinds, which no public class joins
            words = (str(error).strip().splitlines() or [type(error).__name__])[0].replace(str(source.file), name)[:160]
            raise ModelError(f"onnxruntime cannot read {name} ({words}): export it again.") from error
        inputs = session.get_inputs()
        answers = [one for one in session.get_outputs() if one.type in _TYPES]
        if len(inputs) != 1 or inputs[0].type not in _TYPES:
            given = ", ".join(f"{one.name}: {one.type}" for one in inputs)
            raise ModelError(
                f"The network in {name} takes ({given}), and a classifier takes one image of floats: export it so."
            )
        if not answers:
            raise ModelError(
                f"The network in {name} answers no floating-point numbers: export it with its logits as output."
            )
        shape = tuple(length if isinstance(length, int) and length > 0 else None for length in inputs[0].shape)
        asked = _Session(session, inputs[0].name, _TYPES[inputs[0].type], answers[0].name)
        return Opened(asked, digest, shape, white_box=False)


def _digest(source: Source, content: bytes) -> str:
    """The digest of the file, and of the files beside it that hold its weights, as torch's exporter writes them."""
    name, beside = source.file.name, sorted(_beside(content))
    paths = [source.file.parent / one for one in beside]
    for one, path in zip(beside, paths, strict=True):
        if Path(one).is_absolute() or ".." in Path(one).parts or not path.is_file():
            raise ModelError(
                f"{name} keeps its weights in another file {one[:80]!r}, and no such file is beside it: "
                "copy both, or export it again with external_data=False."
            )
    try:
        return of_files(content, paths) if paths else of_content(content)
    except OSError as error:
        raise ModelError(
            f"The weights beside {name} cannot be read ({error.strerror or error}): check the files and their rights."
        ) from error


def _beside(content: bytes) -> frozenset[str]:
    """The files that an ONNX file names for its weights."""
    found = set()
    for place in _LOCATION.finditer(content):
        size = sum((byte & 0x7F) << 7 * position for position, byte in enumerate(place[1]))
        found.add(content[place.end() : place.end() + size].decode("utf-8", "replace"))
    return frozenset(found)
