"""The lazy linear model: its exponents, its losses and its optima, against simulation and against the solver."""

from . import bottlenecks, optima, resources, training

__all__ = ["bottlenecks", "optima", "resources", "training"]
