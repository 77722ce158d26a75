"""Recipes that confront one statement of a theory with a measurement; one module per theory."""
