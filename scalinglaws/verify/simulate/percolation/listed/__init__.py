"""Data that are a list of things, a few common and most of them rare: what samples teach of each, without any lattice."""
