"""Adversarial robustness audit of radiology classifiers, in the DICOM file's own stored values."""
