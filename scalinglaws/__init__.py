"""Neural scaling laws: derived symbolically, solved at any scale, tested against simulation.

The three rooms are `scalinglaws.theory`, `scalinglaws.solvers` and `scalinglaws.verify`; each is
imported when it is first touched, so ``import scalinglaws`` itself costs next to nothing.

Examples
--------
>>> import scalinglaws as sl
>>> law = sl.theory.law("linear.data")
>>> law(alpha=2, beta=0.75)
1.5
"""

from importlib import import_module
from types import ModuleType

from .notation import SourceCapacity

__version__ = "0.2.0"

_LAZY = ("errors", "explore", "notation", "results", "solvers", "sweep", "theory", "verify")

__all__ = ["SourceCapacity", "__version__", *_LAZY]


def __getattr__(name: str) -> ModuleType:
    if name in _LAZY:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
