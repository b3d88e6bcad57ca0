"""A result folder that is there whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_medadv.errors import OutputError, system_reason


def refuse(out: Path, source: Path) -> None:
    """Refuse, before any work is done, a folder that must not or cannot be written.

    Parameters
    ----------
    out
        Where the result is to go: absent, or an empty folder.
    source
        The folder or file that is read; nothing is ever written into it.

    Raises
    ------
    OutputError
        The folder is taken, lies inside the source, or cannot be made.
    """
    target, origin = out.resolve(), source.resolve()
    if target == origin or (origin.is_dir() and origin in target.parents):
        raise OutputError(
            f"The output folder {out.name} lies inside the source, which is never written to: name a folder elsewhere."
        )
    if target.exists() and not target.is_dir():
        raise OutputError(f"The output {out.name} is a file: name a new folder.")
    try:
        if target.is_dir() and any(target.iterdir()):
            raise OutputError(
                f"The output folder {out.name} is not empty: name a new one, so that nothing is overwritten."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise OutputError(
            f"The output folder {out.name} cannot be made ({system_reason(error)}): name one that you may write to."
        ) from error


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to write into; it becomes `out` in one step when the block ends well, or is removed.

    Raises
    ------
    OutputError
        The disk is full, or refuses the write.
    """
    target = out.resolve()
    partial = None
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
        yield partial
        partial.chmod(0o755)
        if target.is_dir():
            target.rmdir()
        partial.rename(target)
    except OSError as error:
        raise OutputError(
            f"The result cannot be written to {out.name} ({system_reason(error)}), and nothing was left there: "
            "free space or name another folder."
        ) from error
    finally:
        if partial is not None and partial.exists():
            shutil.rmtree(partial, ignore_errors=True)
