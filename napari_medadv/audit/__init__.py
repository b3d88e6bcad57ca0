"""Records of runs, and how they are replayed."""
