"""Figures; one folder per theory."""

from ...rooms import lazy_submodules

__all__: list[str] = []

__getattr__, __dir__ = lazy_submodules(__name__)
