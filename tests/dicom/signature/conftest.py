import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from signed_files import authority, data, dcmsign  # noqa: E402

__all__ = ["authority", "data", "dcmsign"]
