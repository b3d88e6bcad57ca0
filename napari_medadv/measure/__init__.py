"""Numbers that belong beside a perturbation."""
