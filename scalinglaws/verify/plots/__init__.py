"""Figures; one module per theory."""
