"""Clusters of the Bethe lattice, and functions on them."""
