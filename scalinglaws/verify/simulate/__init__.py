"""Direct simulations. They know no theory, so they can contradict it."""

from ...rooms import lazy_submodules

__all__: list[str] = []

__getattr__, __dir__ = lazy_submodules(__name__)
