"""What every test stands on: settings of its own, and a screen that draws."""

import os
import sys
import tempfile
from pathlib import Path

_OWN = tempfile.mkdtemp(prefix="medadv-test-")
os.environ["XDG_CONFIG_HOME"] = f"{_OWN}/config"
os.environ["XDG_CACHE_HOME"] = f"{_OWN}/cache"
# The programs that come with the test packages (dciodvfy), whether or not the environment is activated.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ.setdefault("OMP_NUM_THREADS", "1")
if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
    raise SystemExit(
        "QT_QPA_PLATFORM=offscreen draws a black canvas: run the tests under `xvfb-run -a -s '-screen 0 1600x1000x24'`."
    )
