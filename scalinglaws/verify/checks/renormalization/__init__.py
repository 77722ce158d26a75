"""Checks of a Gaussian process whose modes are integrated out."""
