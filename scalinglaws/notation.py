r"""Source and capacity, and every paper's way of writing them.

A task with power-law spectrum is fixed by two numbers. With modes :math:`k = 1, 2, \dots`,

.. math:: \lambda_k = k^{-\alpha}, \qquad s_k = \lambda_k (w_k^*)^2 = k^{-(\alpha\beta + 1)},

where :math:`\lambda_k` is the variance of feature :math:`k`, :math:`w^*` the target's coefficients and :math:`s_k` the
signal power of the mode. `SourceCapacity` holds ``alpha`` and ``beta``; `CONVENTIONS` says how other papers write
the same pair. The module is pure Python: fractions stay fractions, symbols stay symbols.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .errors import refusal, unknown_name
from .letters import GREEK
from .reprs import short_repr


def _ratio(numerator: Any, denominator: Any) -> Any:
    """Divide, exactly where both are exact."""
    exact = (int, Fraction)
    if isinstance(numerator, exact) and isinstance(denominator, exact):
        return Fraction(numerator) / Fraction(denominator)
    return numerator / denominator


@short_repr
@dataclass(frozen=True, slots=True)
class Convention:
    """One paper's notation for the pair (alpha, beta).

    Attributes
    ----------
    name : str
        Key in `CONVENTIONS`.
    parameters : tuple of str
        The paper's parameters, as keyword names.
    symbols : tuple of str
        The same parameters as they are printed in formulas.
    meanings : tuple of str
        What each parameter measures.
    positive : tuple of bool
        Which parameters are positive for every task; the others can have either sign.
    to_canonical : callable
        Parameters (in order) to ``(alpha, beta)``.
    from_canonical : callable
        ``(alpha, beta)`` to the parameters; where the convention has parameters that (alpha, beta) do not fix
        (a dimension), those are passed after them.
    source : str
        Where the notation comes from.
    aliases : tuple of str
        Other names of the notation: authors who write the same.
    """

    name: str
    parameters: tuple[str, ...]
    symbols: tuple[str, ...]
    meanings: tuple[str, ...]
    positive: tuple[bool, ...]
    to_canonical: Callable[..., tuple[Any, Any]]
    from_canonical: Callable[..., tuple[Any, ...]]
    source: str
    aliases: tuple[str, ...] = ()

    def read(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the notation's own parameters among values, by name, by printed symbol or by symbol without its index."""
        _check_mapping(values)
        printed = dict(zip(self.parameters, self.symbols, strict=True))
        found = {}
        for name in self.parameters:
            bare = name.partition("_")[0]
            spellings = [name, printed[name]] + [bare] * (bare in GREEK)
            given = [key for key in dict.fromkeys(spellings) if key in values]
            if len(given) != 1:
                return None
            found[given[0]] = values[given[0]]
        return found


def _bahri_from_canonical(alpha: Any, beta: Any) -> tuple[Any, ...]:
    signal = alpha * beta + 1
    exact = isinstance(signal, (int, Fraction)) and isinstance(alpha, (int, Fraction))
    if not (signal == alpha if exact else math.isclose(float(signal), float(alpha), rel_tol=1e-12)):
        raise refusal(
            "beta",
            beta,
            "the one-parameter convention 'bahri' needs a white teacher, alpha*beta + 1 = alpha; "
            f"got alpha = {alpha}, beta = {beta}",
            named=False,
        )
    return (alpha - 1,)


CONVENTIONS: dict[str, Convention] = {
    entry.name: entry
    for entry in (
        Convention(
            "capacity",
            ("alpha", "beta"),
            ("alpha", "beta"),
            (
                "capacity: eigenvalues fall as k^-alpha",
                "source: signal power falls as k^-(alpha*beta + 1)",
            ),
            (True, True),
            lambda alpha, beta: (alpha, beta),
            lambda alpha, beta: (alpha, beta),
            "this package",
            ("scalinglaws",),
        ),
        Convention(
            "bordelon",
            ("a", "b"),
            ("a", "b"),
            ("signal power falls as k^-a", "eigenvalues fall as k^-b"),
            (True, True),
            lambda a, b: (b, _ratio(a - 1, b)),
            lambda alpha, beta: (alpha * beta + 1, alpha),
            "Bordelon, Atanasov & Pehlevan, arXiv:2402.01092",
            ("atanasov", "pehlevan"),
        ),
        Convention(
            "paquette",
            ("alpha_p", "beta_p"),
            ("alpha_P", "beta_P"),
            (
                "features fall as k^-alpha_p in amplitude: eigenvalues as k^-(2*alpha_p)",
                "target coefficients fall as k^-beta_p",
            ),
            (True, False),
            lambda alpha_p, beta_p: (
                2 * alpha_p,
                _ratio(2 * alpha_p + 2 * beta_p - 1, 2 * alpha_p),
            ),
            lambda alpha, beta: (_ratio(alpha, 2), _ratio(alpha * beta + 1 - alpha, 2)),
            "Paquette, Paquette, Xiao & Pennington, arXiv:2405.15074",
            ("xiao", "pennington"),
        ),
        Convention(
            "bahri",
            ("alpha_k",),
            ("alpha_K",),
            (
                "kernel eigenvalues fall as k^-(1 + alpha_k), and the teacher is white in that basis",
            ),
            (True,),
            lambda alpha_k: (1 + alpha_k, _ratio(alpha_k, 1 + alpha_k)),
            _bahri_from_canonical,
            "Bahri, Dyer, Kaplan, Lee & Sharma, arXiv:2102.06701; Maloney, Roberts & Sully, arXiv:2210.16859",
            ("maloney", "roberts", "sully", "dyer", "sharma"),
        ),
        Convention(
            "kernel",
            ("student_smoothness", "teacher_smoothness", "dimension"),
            ("theta_S", "theta_T", "d"),
            (
                "order of the non-analytic term |x - x'|^theta_S of the student kernel",
                "order of the non-analytic term |x - x'|^theta_T of the teacher kernel",
                "dimension of the inputs",
            ),
            (True, True, True),
            lambda student, teacher, dimension: (
                1 + _ratio(student, dimension),
                _ratio(teacher, dimension + student),
            ),
            lambda alpha, beta, dimension: (
                dimension * (alpha - 1),
                dimension * alpha * beta,
                dimension,
            ),
            "Spigler, Geiger & Wyart, arXiv:1905.10843; Bahri et al., arXiv:2102.06701",
            ("spigler", "geiger", "wyart"),
        ),
        Convention(
            "caponnetto",
            ("capacity", "r"),
            ("alpha", "r"),
            (
                "eigenvalues fall as k^-capacity",
                "source: the target lies in the range of Sigma^(r - 1/2), up to logarithms; signal k^-(1 + 2 r alpha)",
            ),
            (True, True),
            lambda capacity, r: (capacity, 2 * r),
            lambda alpha, beta: (alpha, _ratio(beta, 2)),
            "Caponnetto & De Vito, Found. Comput. Math. 7, 331 (2007); Cui et al., arXiv:2105.15004",
            ("de vito", "devito", "cui"),
        ),
    )
}


def convention(name: str) -> Convention:
    """Look up a notation by name.

    Parameters
    ----------
    name : str
        Key of `CONVENTIONS`, or an author who writes the same.

    Returns
    -------
    Convention
        The table entry.

    Raises
    ------
    DomainError
        If there is no such notation; the message names the nearest.

    Examples
    --------
    >>> convention("bordelon").parameters
    ('a', 'b')
    """
    wanted = str(name).lower()
    for entry in CONVENTIONS.values():
        if wanted == entry.name or wanted in entry.aliases:
            return entry
    known = (key for entry in CONVENTIONS.values() for key in (entry.name, *entry.aliases))
    raise unknown_name("notation", name, known, likeness=0.75)  # an author is not another one


def _all_names(known: Collection[Any]) -> bool:
    """Whether these are words; an array without dimensions is a collection, and cannot be gone through."""
    try:
        return all(isinstance(name, str) for name in known)
    except TypeError:
        return False


def canonical(values: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Replace the parameters of another notation, where values hold them all, by alpha and beta.

    Parameters
    ----------
    values : mapping of str to number
        Parameters; those that belong to no notation stay.
    known : collection of str
        Names that mean what they say: a notation is looked for only if one of its parameters is none of them, and never where
        alpha and beta are both given.

    Returns
    -------
    dict of str to number
        The same values if no notation is recognized.

    Examples
    --------
    >>> canonical({"a": Fraction(2), "b": Fraction(3, 2), "size": 7}, ("alpha", "beta", "size"))
    {'size': 7, 'alpha': Fraction(3, 2), 'beta': Fraction(2, 3)}
    """
    _check_mapping(values)
    if isinstance(known, str) or not isinstance(known, Collection) or not _all_names(known):
        raise refusal("known", known, "must be names")
    if {"alpha", "beta"} <= set(values):
        return dict(values)
    for entry in CONVENTIONS.values():
        own = entry.parameters
        for names in (own, entry.symbols):
            if set(names) <= set(values) and not set(names) <= set(known):
                others = {key: value for key, value in values.items() if key not in names}
                alpha, beta = entry.to_canonical(*(values[key] for key in names))
                return others | {"alpha": alpha, "beta": beta}
    return dict(values)


def belonging(name: str) -> str:
    """Say to which notations a name belongs; empty if to none, or to the one that is understood everywhere.

    Examples
    --------
    >>> belonging("alpha_p")
    "alpha_p is of the notation 'paquette', which takes alpha_p and beta_p"
    """
    if not isinstance(name, str):
        raise refusal("name", name, "must be a text")
    usual = CONVENTIONS["capacity"]
    if name in (*usual.parameters, *usual.symbols):
        return ""
    found = [
        f"{entry.name!r}, which takes {' and '.join(entry.parameters)}"
        for entry in CONVENTIONS.values()
        if name in (*entry.parameters, *entry.symbols)
    ]
    return f"{name} is of the notation {' or '.join(found)}" if found else ""


def _check_mapping(values: Any) -> None:
    if not isinstance(values, Mapping):
        raise refusal("values", values, "must be a mapping of names to numbers")


def _check_positive(name: str, value: Any, allowed: str) -> None:
    try:
        good = not isinstance(value, bool) and bool(value > 0) and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise refusal(name, value, f"must be a finite number with {allowed}")


@short_repr
@dataclass(frozen=True, slots=True)
class SourceCapacity:
    r"""Source and capacity exponents of a task.

    .. math:: \lambda_k = k^{-\alpha}, \qquad \lambda_k (w_k^*)^2 = k^{-(\alpha\beta + 1)}

    Parameters
    ----------
    alpha : float or Fraction
        Capacity :math:`\alpha > 0`: decay of the eigenvalues. Infinitely many modes need ``alpha > 1``.
    beta : float or Fraction
        Source :math:`\beta > 0`: smoothness of the target in units of the spectrum.

    Raises
    ------
    DomainError
        If an exponent is not finite and positive.

    Examples
    --------
    >>> task = SourceCapacity.from_ab(a=2, b=1.5)
    >>> task.alpha, round(task.beta, 6), task.difficulty
    (1.5, 0.666667, 'hard')
    >>> task.to_paquette()
    (0.75, 0.25)
    """

    alpha: Any
    beta: Any

    def __post_init__(self) -> None:
        """Refuse exponents without a power law."""
        _check_positive("alpha", self.alpha, "alpha > 0")
        _check_positive("beta", self.beta, "beta > 0 (in the (a, b) notation: a > 1)")

    # -- reading other notations ------------------------------------------------------------------------------------

    @classmethod
    def from_notation(cls, name: str, /, **parameters: Any) -> SourceCapacity:
        """Read the pair from any notation of `CONVENTIONS`.

        Parameters
        ----------
        name : str
            The notation.
        **parameters
            Exactly the parameters of that notation.

        Returns
        -------
        SourceCapacity
            The same task.

        Raises
        ------
        DomainError
            If the notation is unknown, a parameter is missing or foreign, or the task has no power law.

        Examples
        --------
        >>> SourceCapacity.from_notation("caponnetto", capacity=2, r=Fraction(1, 2))
        SourceCapacity(alpha=2, beta=Fraction(1, 1))
        """
        entry = convention(name)
        if set(parameters) != set(entry.parameters):
            raise refusal(
                "parameters",
                parameters,
                f"notation {name!r} takes exactly {', '.join(entry.parameters)}; got "
                f"{', '.join(parameters) or 'nothing'}",
                named=False,
            )
        for key, positive in zip(entry.parameters, entry.positive, strict=True):
            if positive:
                _check_positive(key, parameters[key], f"{key} > 0")
        try:
            alpha, beta = entry.to_canonical(*(parameters[key] for key in entry.parameters))
        except TypeError:
            raise refusal(
                "parameters",
                parameters,
                f"notation {name!r} takes numbers; got {parameters}",
                named=False,
            ) from None
        return cls(alpha, beta)

    @classmethod
    def from_ab(cls, a: Any, b: Any) -> SourceCapacity:
        """Signal power ``k^-a`` and eigenvalues ``k^-b`` (notation ``bordelon``): alpha = b, beta = (a - 1)/b."""
        return cls.from_notation("bordelon", a=a, b=b)

    @classmethod
    def from_paquette(cls, alpha_p: Any, beta_p: Any) -> SourceCapacity:
        """Feature amplitudes ``k^-alpha_p`` and target coefficients ``k^-beta_p`` (the 4+3 phases)."""
        return cls.from_notation("paquette", alpha_p=alpha_p, beta_p=beta_p)

    @classmethod
    def from_bahri(cls, alpha_k: Any) -> SourceCapacity:
        """Kernel spectrum ``k^-(1 + alpha_k)`` with a white teacher (resolution-limited scaling)."""
        return cls.from_notation("bahri", alpha_k=alpha_k)

    @classmethod
    def from_kernel(
        cls, student_smoothness: Any, teacher_smoothness: Any, dimension: Any
    ) -> SourceCapacity:
        """Kernels with non-analytic terms of given orders on inputs of a given dimension."""
        return cls.from_notation(
            "kernel",
            student_smoothness=student_smoothness,
            teacher_smoothness=teacher_smoothness,
            dimension=dimension,
        )

    @classmethod
    def from_caponnetto(cls, capacity: Any, r: Any) -> SourceCapacity:
        """Capacity and source exponent r of kernel regression: beta = 2 r."""
        return cls.from_notation("caponnetto", capacity=capacity, r=r)

    # -- writing them -----------------------------------------------------------------------------------------------

    def to_ab(self) -> tuple[Any, Any]:
        """Return ``(a, b)``: signal and spectrum exponents."""
        return self._to("bordelon")

    def to_paquette(self) -> tuple[Any, Any]:
        """Return ``(alpha_p, beta_p)`` of the 4+3 phases; ``beta_p`` may be negative."""
        return self._to("paquette")

    def to_bahri(self) -> Any:
        """Return ``alpha_k``; raises `DomainError` unless the teacher is white (alpha*beta + 1 = alpha)."""
        return self._to("bahri")[0]

    def to_kernel(self, dimension: Any) -> tuple[Any, Any, Any]:
        """Return ``(student_smoothness, teacher_smoothness, dimension)``; needs alpha > 1."""
        _check_positive("dimension", dimension, "dimension > 0")
        if not self.alpha > 1:
            raise refusal(
                "alpha", self.alpha, "has no kernel in any dimension: alpha > 1 is needed"
            )
        return self._to("kernel", dimension)

    def to_caponnetto(self) -> tuple[Any, Any]:
        """Return ``(capacity, r)``."""
        return self._to("caponnetto")

    def _to(self, name: str, *extra: Any) -> tuple[Any, ...]:
        return CONVENTIONS[name].from_canonical(self.alpha, self.beta, *extra)

    # -- what the pair means ----------------------------------------------------------------------------------------

    @property
    def difficulty(self) -> str:
        """Say how hard the task is: ``"hard"``, ``"easy"`` or ``"super-easy"``.

        Hard: the target's norm in the kernel's own space diverges (``beta <= 1``: at ``beta = 1`` as a logarithm).
        Super-easy: ``beta > 2 - 1/alpha``, where the noise of stochastic gradients decides. Easy: in between.
        """
        if self.beta <= 1:
            return "hard"
        return "easy" if self.beta <= 2 - _ratio(1, self.alpha) else "super-easy"
