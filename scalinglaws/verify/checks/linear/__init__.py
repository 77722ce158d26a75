"""The lazy linear model: its exponents, its losses and its optima, against simulation and against the solver."""

from . import asymmetry, bottlenecks, optima, training

__all__ = ["asymmetry", "bottlenecks", "optima", "training"]
