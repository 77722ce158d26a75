"""Checks of the perceptron at fixed norm, and of networks along their complexity."""
