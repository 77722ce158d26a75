"""Deterministic equivalents that several theories share: renormalized ridges, contours, responses, searches."""
