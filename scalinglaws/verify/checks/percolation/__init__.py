"""Percolation: clusters learned one by one and together, how far training sites are, and the exponents of lattices."""
