"""Clusters of hypercubic lattices."""
