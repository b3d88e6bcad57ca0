"""TorchScript, a .pt file of `torch.jit.save`: its pickles and its code are read before torch sees them."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import ClassVar

import torch

from napari_medadv.errors import ModelError
from napari_medadv.model.digest import of_content
from napari_medadv.model.formats.format import Opened, Source
from napari_medadv.model.formats.pickles import called
from napari_medadv.model.formats.records import records

_PICKLED = re.compile(
    r"__torch__ \w+|__torch__\.\S+ \S+|torch\.jit\._pickle (build_\w+|restore_type_tag)|collections OrderedDict"
    r"|torch (\w+Storage|\w*float\w*|u?int\d+|bool|complex\d+|device|Size)|torch\._utils _rebuild_\w+"
)
_FORBIDDEN_WORDS = re.compile(
    r"\b(save|from_file|load_tensor|rpc_async|rpc_sync|rpc_remote|_print|manual_seed|set_data)\b"
    r"|\bops\s*\.\s*(?!(prim|aten|prims|quantized|_quantized)\s*\.)\w+|\bgetattr\s*\([^()\n]*\\|\bops\b(?!\s*\.)|[^\x00-\x7f]"
)
_OBJECT = re.compile(r"torch\s*\.\s*classes\s*\.\s*(?!(quantized|sparse|xnnpack)\b)\w+")


class TorchScript:
    """A scripted or traced module."""

    says: ClassVar[str] = "TorchScript (.pt, .ts)"

    def claims(self, weights: Path | str) -> bool:
        """A torch archive with code and constants."""
        inside = records(weights)
        return "constants.pkl" in inside or any(name.startswith("code/") for name in inside)

    def __call__(self, source: Source) -> Opened:
        """The module, in eval mode."""
        content, name = source.content(), source.file.name
        _screen(content, name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript itself; there are still such files
                module = torch.jit.load(io.BytesIO(content), map_location=source.device)  # type: ignore[no-untyped-call]
        except Exception as error:
            words = str(error).strip().splitlines() or [type(error).__name__]
            raise ModelError(
                f"torch {torch.__version__} cannot read the TorchScript in {name} ({words[0][:160]}): "
                "save it again, or export it with torch.export."
            ) from error
        schema = getattr(getattr(module, "forward", None), "schema", None)
        needed = [one.name for one in schema.arguments[1:] if not one.has_default_value()] if schema else []
        if len(needed) != 1:
            raise ModelError(
                f"The TorchScript in {name} takes {len(needed)} inputs ({', '.join(needed)}), and a classifier takes one: "
                "script it with the image alone."
            )
        return Opened(module.eval(), of_content(content))


def _screen(content: bytes, name: str) -> None:
    try:
        reader = torch._C.PyTorchFileReader(io.BytesIO(content))
        inside = {record: reader.get_record(record) for record in reader.get_all_records() if _is_read(record)}
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{name} is a damaged torch archive: copy or save it again.") from error
    if not {"data.pkl", "constants.pkl"} <= set(inside) or "model.json" in map(str.lower, inside):
        raise ModelError(f"{name} is TorchScript of a very old or unknown kind: save it again with a current torch.")
    for record, part in inside.items():
        if record.lower().endswith("pkl"):
            try:
                unknown = sorted(one for one in called(part) if not _PICKLED.fullmatch(one))
            except Exception as error:
                raise _refused(name, f"a pickle ({record}) with {str(error)[:80]}") from error
            if unknown:
                raise _refused(name, f"a pickle ({record}) that would call {unknown[0][:80]!r}")
            objects = " ".join(called(part))
        else:
            objects = part.decode("utf-8", "replace")
            found = _FORBIDDEN_WORDS.search(objects)
            if found:
                raise _refused(name, f"code ({record}) that says {' '.join(found[0].split())[:60]!r}")
        custom = _OBJECT.search(objects)
        if custom:
            raise _refused(name, f"an object of {custom[0]!r} ({record})")


def _is_read(record: str) -> bool:
    # torch finds a record whatever the case of its name.
    name = record.lower()
    return name.startswith("code/") or name.endswith("pkl") or name == "model.json"


def _refused(name: str, what: str) -> ModelError:
    return ModelError(
        f"{name} holds {what}, which no network needs and which could touch files or run code, so it was not opened: "
        "export the network again, with torch.export if you can."
    )
