"""Detectors, one a module."""
