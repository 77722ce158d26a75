"""Checks of lazy learnability."""
