"""How the laws of a theory are built: what they share is said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .formula import Law


def laws_of(theory: str, **shared: Any) -> Callable[..., Law]:
    """Return a function that builds the laws of one theory.

    Parameters
    ----------
    theory : str
        First part of the laws' names.
    **shared
        Fields of `Law` that most of the theory's laws have in common; a law that differs says so itself. Unless given, the
        quantity is the test loss and the standing ``"derived"``.

    Returns
    -------
    callable
        From the rest of a law's name, its statement and its other fields to the `Law`.

    Examples
    --------
    >>> import sympy
    >>> from scalinglaws.theory.manifold import VarianceLimited, derive_variance
    >>> build = laws_of("manifold", reference=(), derive=derive_variance)
    >>> x = sympy.Symbol("x", positive=True)
    >>> law = build("toy", "a toy", variable=x, symbols={}, model=VarianceLimited(2 + 1 / x**3, x))
    >>> law.name, law.quantity, law()
    ('manifold.toy', 'test loss', 3)
    """
    common = {"quantity": "test loss", "standing": "derived", **shared}

    def build(name: str, statement: str, **fields: Any) -> Law:
        return Law(name=f"{theory}.{name}", statement=statement, **{**common, **fields})

    return build
