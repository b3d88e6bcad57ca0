"""`python -m napari_medadv` is `medadv`."""

import sys

from napari_medadv.cli import main

sys.exit(main())
