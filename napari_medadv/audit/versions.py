"""What software a result was made with."""

from __future__ import annotations

import platform
from importlib import metadata

from napari_medadv import __version__


def versions() -> dict[str, str]:
    """The versions and the number of threads that can change a result's last bit."""
    import torch

    found = {"napari-medadv": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in ("torch", "numpy", "pydicom"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    found["threads"] = str(torch.get_num_threads())
    return found
