"""Clusters of the Bethe lattice with targets, and learning on them."""
