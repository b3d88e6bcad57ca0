"""DICOM: series in, volumes out, and back."""
