"""torch.export, a .pt2 file: the recommended format. Its graph is screened and its pickles are left out."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path
from typing import ClassVar

import torch

from napari_medadv.errors import ModelError
from napari_medadv.model.digest import of_content
from napari_medadv.model.formats.format import Opened, Source
from napari_medadv.model.formats.records import records
from napari_medadv.model.formats.screening import payloads, screened

_PROGRAM = "models/model.json"
_INPUTS = "data/sample_inputs/model.pt"
_WEIGHTS = "data/weights/model_weights_config.json"
_CONSTANTS = "data/constants/model_constants_config.json"
_TEXTS = {_PROGRAM, _WEIGHTS, _CONSTANTS}
_TENSOR = re.compile(r"data/(weights/weight|constants/tensor)_\d+")


class TorchExport:
    """A program saved by `torch.export.save` (torch 2.9 or later)."""

    says: ClassVar[str] = "torch.export (.pt2)"

    def claims(self, weights: Path | str) -> bool:
        """A torch archive that says pt2."""
        inside = records(weights)
        return "archive_format" in inside or "serialized_exported_program.json" in inside

    def __call__(self, source: Source) -> Opened:
        """The program as a graph module."""
        content = source.content()
        clean = _rebuilt(content, source.file.name)
        told = logging.getLogger("torch.export").level
        try:
            logging.getLogger("torch.export").setLevel(logging.CRITICAL)
            program = torch.export.load(clean)
            if source.device.type != "cpu":
                from torch.export.passes import move_to_device_pass

                program = move_to_device_pass(program, str(source.device))
            network = program.module(check_guards=False)
        except ModelError:
            raise
        except Exception as error:
            words = str(error).strip().splitlines() or [type(error).__name__]
            raise ModelError(
                f"torch {torch.__version__} cannot read the program in {source.file.name} ({words[0][:160]}): "
                "export it again with this version of torch."
            ) from error
        finally:
            logging.getLogger("torch.export").setLevel(told)
        return Opened(network, of_content(content), _input(program, source.file.name))


def _rebuilt(content: bytes, name: str) -> io.BytesIO:
    """The same archive with only what is needed: the screened graph and plain tensors."""
    from torch.export.pt2_archive._package import PT2ArchiveReader, PT2ArchiveWriter

    try:
        reader = PT2ArchiveReader(io.BytesIO(content))
        names = reader.get_file_names()
        inside = {
            record: reader.read_bytes(record) for record in names if record in _TEXTS or _TENSOR.fullmatch(record)
        }
    except Exception as error:
        old = b"serialized_exported_program.json" in content[-65536:]
        raise ModelError(
            f"{name} was saved by torch 2.8 or before, whose format keeps pickles: save it again with torch 2.9 or later."
            if old
            else f"{name} is a damaged .pt2 archive ({str(error).splitlines()[0][:120]}): copy or export it again."
        ) from error
    missing = sorted(_TEXTS - inside.keys())
    if missing:
        compiled = any("aotinductor" in record for record in names)
        raise ModelError(
            f"{name} lacks {missing[0]}: it was {'compiled by AOTInductor or ' if compiled else ''}saved by another version of torch; "
            "save it with torch.export.save of torch 2.9 or later."
        )
    clean = io.BytesIO()
    with PT2ArchiveWriter(clean) as writer:
        writer.write_bytes(_PROGRAM, screened(inside.pop(_PROGRAM)))
        writer.write_bytes(_WEIGHTS, payloads(inside.pop(_WEIGHTS), "weight"))
        writer.write_bytes(_CONSTANTS, payloads(inside.pop(_CONSTANTS), "tensor"))
        writer.write_bytes(_INPUTS, b"")
        for record, tensor in inside.items():
            writer.write_bytes(record, tensor)
    clean.seek(0)
    return clean


def _input(program: torch.export.ExportedProgram, name: str) -> tuple[int | None, ...]:
    inputs = program.graph_signature.user_inputs
    if len(inputs) != 1:
        raise ModelError(
            f"The program in {name} takes {len(inputs)} inputs, and a classifier takes one: export it with the image alone."
        )
    (node,) = (node for node in program.graph.nodes if node.op == "placeholder" and node.name == inputs[0])
    return tuple(length if isinstance(length, int) else None for length in node.meta["val"].shape)
