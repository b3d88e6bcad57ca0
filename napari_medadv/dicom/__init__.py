"""DICOM: series in, volumes out, and back.

The verbs live in the modules of their name: `series.scan`, `decode.decode`, `encode.encode`, `save.save`;
`window.presets` names display windows, `derivation.Derivation` tells what was done.
"""
