"""Losses on samples of clusters, at the threshold and off it."""
