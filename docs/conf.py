"""Sphinx settings: `sphinx-build -W docs docs/_build`."""

project = "napari_medadv"
extensions = ["myst_parser"]
exclude_patterns = ["_build", "examples"]
html_theme = "alabaster"
