"""Constants without closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import sympy as sp

from ..arguments import digit_count
from ..errors import ConvergenceError, refusal
from ..reprs import short_repr


@short_repr
@dataclass(frozen=True)
class ImplicitConstant:
    """A constant without closed form: the root of an equation in a bracket, to any number of digits.

    Attributes
    ----------
    equation : Expr
        Vanishes at the constant.
    unknown : Symbol
        The symbol that stands for it.
    bracket : tuple
        Two numbers between which the equation changes sign once.

    Examples
    --------
    >>> x = sp.Symbol("x")
    >>> print(mpmath.nstr(ImplicitConstant(sp.cos(x) - x, x, (0, 1)).evaluate(25), 25))
    0.7390851332151606416553121
    """

    equation: sp.Expr
    unknown: sp.Symbol
    bracket: tuple[Any, Any]

    def evaluate(self, digits: int = 15) -> Any:
        """Solve the equation.

        Parameters
        ----------
        digits : int
            Significant digits, at most 1000.

        Returns
        -------
        mpmath.mpf
            The constant.

        Raises
        ------
        DomainError
            If the equation does not change sign over the bracket, or an argument is out of range.
        ConvergenceError
            If the root is not found to the digits asked for.
        """
        digits = digit_count("digits", digits)
        ends = [sp.sympify(end) for end in self.bracket]
        if not all(end.is_number and end.is_real for end in ends):
            raise refusal("bracket", self.bracket, "must be two finite real numbers")
        if self.equation.free_symbols != {self.unknown}:
            raise refusal(
                "equation",
                self.equation,
                f"{self.equation} must depend on {self.unknown} alone",
                named=False,
            )
        function = sp.lambdify(self.unknown, self.equation, "mpmath")
        # a root much smaller than the bracket, or next to a cancellation, needs more digits than are asked for
        for precision in (digits + 10, 2 * digits + 20, 4 * digits + 40):
            with mpmath.workdps(precision):
                root = self._solve(function, digits, precision)
            if root is not None:
                break
        else:
            raise ConvergenceError(
                f"no root of {self.equation} to {digits} digits in {self.bracket}"
            )
        with mpmath.workdps(digits):
            return +root

    def _solve(self, function: Callable[[Any], Any], digits: int, precision: int) -> Any:
        """Return the root if the equation provably changes sign within the last digit asked for, else None."""
        low, high = (mpmath.mpf(str(sp.N(end, precision))) for end in self.bracket)
        try:
            ends = [function(low), function(high)]
        except ZeroDivisionError:
            raise refusal(
                "bracket",
                self.bracket,
                f"{self.equation} is infinite at an end of {self.bracket}",
                named=False,
            ) from None
        if mpmath.sign(ends[0]) * mpmath.sign(ends[1]) > 0:
            raise refusal(
                "bracket",
                self.bracket,
                f"{self.equation} does not change sign over {self.bracket}",
                named=False,
            )
        unit = max(map(abs, ends))  # the size of the equation must not matter
        root = mpmath.findroot(
            lambda x: function(x) / unit,
            (low, high),
            solver="illinois",
            tol=mpmath.mpf(10) ** (5 - precision),
            maxsteps=10 * precision,
            verify=False,
        )
        width = abs(root) * mpmath.mpf(10) ** -digits or mpmath.mpf(10) ** -digits
        with mpmath.workdps(
            2 * precision
        ):  # a change of sign by rounding noise does not survive twice the digits
            around = [function(root - width), function(root + width)]
        certain = (
            mpmath.sign(around[0]) * mpmath.sign(around[1]) < 0
            and max(map(abs, around)) <= unit / 10
        )
        return root if certain else None
