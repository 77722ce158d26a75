"""What a theory states: laws with their derivation, validity and source.

A `Law` is queried like a function. Its exponent is not stored: it is derived from the model's own equation when it is
first asked for, and `Law.derive` does the same for a model that nobody has shipped.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from ..arguments import choice, digit_count, flag, floats, instance, refuse_first, text
from ..errors import AccuracyWarning, known_name, refusal, unknown_name
from ..notation import CONVENTIONS, belonging, canonical, convention
from ..reprs import line
from . import presentation, rendering
from .catalogue import CATALOGUE, assumption
from .derivation import (
    DEFINITION,
    EQUAL,
    Derivation,
    Relation,
    Step,
    StepCheck,
    asymptotic,
    balances,
    solves,
    step,
)
from .evaluation import Evaluation, evaluate_forms
from .implicit import ImplicitConstant
from .parameters import (
    evaluate_arrays,
    evaluate_form,
    holds,
    is_exact,
    nearly,
    outside_validity,
    show,
    tidy,
    to_exact,
)
from .records import Caution, Derived, Form, Misprint, Published, Regime
from .references import Reference
from .relations import strongest

__all__ = [
    "DEFINITION",
    "EQUAL",
    "Caution",
    "Derivation",
    "Derived",
    "Form",
    "ImplicitConstant",
    "Law",
    "Misprint",
    "Published",
    "Reference",
    "Regime",
    "Relation",
    "Step",
    "StepCheck",
    "asymptotic",
    "balances",
    "solves",
    "step",
]

_DIGITS = 30  # working precision of constants
STANDINGS = ("derived", "exact", "asymptotic", "heuristic", "ansatz", "numerical")


@dataclass(frozen=True)
class Law:
    """A scaling law.

    Attributes
    ----------
    name : str
        ``theory.quantity``, as in the catalogue.
    statement : str
        One line.
    quantity : str
        What scales.
    variable : Symbol
        With what; ``quantity ~ constant * variable**-expr``, or ``variable**expr`` if `growth`.
    symbols : mapping of str to str
        Parameters of the exponent and what they mean.
    reference : tuple of Reference
        Sources.
    standing : str
        ``derived``, ``exact``, ``asymptotic``, ``heuristic``, ``ansatz`` or ``numerical``.
    model : object
        The model the law is derived from by default.
    derive : callable
        From any model of that kind to `Derived`.
    published : Published or None
        A different formula printed elsewhere.
    misprints : tuple of Misprint
        Slips in print that do not reach the law itself.
    caution : Caution or None
        Where evaluating the law warns, and of what.
    notation : str
        Key of `scalinglaws.notation.CONVENTIONS` in which formulas are written.
    growth : bool
        The quantity grows: `expr` is the exponent of growth.
    task : bool
        Whether alpha and beta are capacity and source of a task, which other papers write in other symbols.
    conventions : mapping of str to mapping
        Other ways to measure what the law is about, for `in_notation`: by name, the fields of the law that differ. The first is this law.

    Notes
    -----
    What is derived when first asked for: `expr` (the exponent), `constant` (None where only the exponent is known),
    `regimes`, `forms`, `validity` and `derivation`. The derivation of an ``ansatz`` starts from a formula that is assumed; what
    follows from it is derived.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from scalinglaws import theory
    >>> law = theory.law("linear.data")
    >>> law.expr
    Min(2*alpha, alpha*beta)
    >>> law(alpha=Fraction(3, 2), beta=Fraction(2, 3))
    1
    >>> law.in_notation("bordelon")(a=5, b=1.5)
    3.0
    """

    name: str
    statement: str
    quantity: str
    variable: sp.Symbol
    symbols: Mapping[str, str]
    reference: tuple[Reference, ...]
    standing: str
    model: Any
    derive: Callable[[Any], Derived]
    published: Published | None = None
    misprints: tuple[Misprint, ...] = ()
    caution: Caution | None = None
    notation: str = "capacity"
    growth: bool = False
    task: bool = True
    conventions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an unknown standing, and what is no flag."""
        choice("standing", self.standing, STANDINGS)
        flag("growth", self.growth)
        flag("task", self.task)

    # -- what was derived -------------------------------------------------------------------------------------------

    @cached_property
    def derived(self) -> Derived:
        """The outcome of the derivation, made when it is first asked for."""
        return self.derive(self.model)

    @property
    def derivation(self) -> Derivation:
        """The steps, in canonical symbols."""
        return self.derived.derivation

    @cached_property
    def expr(self) -> sp.Expr:
        """The exponent g of ``variable**-g``, or of ``variable**g`` if the quantity grows."""
        return self._write(self.derived.expr)

    @cached_property
    def constant(self) -> sp.Expr | None:
        """The leading constant, a Piecewise where regimes differ; None where only the exponent is known."""
        return None if self.derived.constant is None else self._write(self.derived.constant)

    @cached_property
    def regimes(self) -> tuple[Regime, ...]:
        """The branches of the law."""
        return tuple(
            Regime(
                entry.name,
                self._write(entry.condition),
                self._write(entry.exponent),
                None if entry.constant is None else self._write(entry.constant),
                self._write(entry.log_power)
                if isinstance(entry.log_power, sp.Expr)
                else entry.log_power,
                None
                if entry.correction is None
                else (self._write(entry.correction[0]), self._write(entry.correction[1])),
            )
            for entry in self.derived.regimes
            if self._write(entry.condition) != sp.false
        )

    @property
    def forms(self) -> Mapping[str, Form]:
        """Formulas that come with the law, by name; see `evaluate`."""
        return self.derived.forms

    @cached_property
    def validity(self) -> tuple[sp.Basic, ...]:
        """Conditions on the parameters; outside them the law says nothing."""
        canonical = CONVENTIONS["capacity"].parameters
        known = [name for name in canonical if self.notation != "capacity" or name in self.symbols]
        if self.notation == "capacity":
            # a condition of the derivation that lets a parameter be 0, or bounds a sum of parameters, stands for the signs
            weaker = {
                name.name
                for part in self.derived.conditions
                if (isinstance(part, sp.Ge) and part.lhs.is_Symbol and part.rhs == 0)
                or _bounds_a_sum(part)
                for name in part.lhs.free_symbols
            }
            known += [name for name in self.symbols if name not in {*canonical, *weaker}]
        conditions = [
            *(sp.Gt(sp.Symbol(name, positive=True), 0, evaluate=False) for name in known),
            *self.derived.conditions,
        ]
        entry = CONVENTIONS[self.notation]
        signs = [
            sp.Gt(self._symbol(name), 0, evaluate=False)
            for name, positive in zip(entry.parameters, entry.positive, strict=True)
            if positive and name in self.symbols
        ]
        return strongest([*map(self._write, conditions), *signs])

    @cached_property
    def published_expr(self) -> sp.Expr | None:
        """The exponent printed elsewhere, in this law's notation; None where nobody prints another."""
        return None if self.published is None else self._write(self.published.expr)

    # -- reading ----------------------------------------------------------------------------------------------------

    @cached_property
    def sources(self) -> tuple[Reference, ...]:
        """Every source that the law and its derivation use, each once, in order of first use."""
        used = [*self.reference, *(entry.reference for entry in self.derivation.steps)]
        if self.published is not None:
            used.append(self.published.reference)
        found: dict[str, Reference] = {}
        for entry in used:
            if entry is not None:
                found.setdefault(entry.key, entry)
        return tuple(found.values())

    @property
    def checks(self) -> tuple[str, ...]:
        """Names of the package's checks that test the law, for `scalinglaws.verify.run`."""
        return CATALOGUE[self.name].checks if self.name in CATALOGUE else ()

    def blocks(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        published: bool = True,
        digits: int = 6,
    ) -> tuple[presentation.Block, ...]:
        """Return what the law says, as blocks.

        Parameters
        ----------
        values : mapping of str to number, optional
            Parameters, the variable, and other symbols of the formulas, exact: also say what the law gives there.
        published : bool
            Whether to say what is printed elsewhere.
        digits : int
            Significant digits of what the formulas give.

        Returns
        -------
        tuple of Block
            As `scalinglaws.theory.rendering` writes them.
        """
        flag("published", published)
        if values is not None:
            instance("values", values, Mapping)
            for name in values:
                text("values", name)
        found: list[presentation.Block] = [
            presentation.Title(self.name, self.statement),
            self._scaling(),
            presentation.Symbols(self.symbols, self._printed()),
            presentation.Domain(self.validity),
            presentation.Standing(
                self.name, self.standing, assumption(self.name), self._other_notation
            ),
            presentation.Tested(self.checks),
            presentation.Regimes(self.variable, self.regimes),
            presentation.Formulas(self.forms),
            presentation.Sources(self.reference),
        ]
        if self.caution is not None:
            condition = self._write(self.caution.condition)
            found.append(presentation.Warned(replace(self.caution, condition=condition)))
        given = dict(values or {})
        read = self._read(given)
        known = {name: value for name, value in read.items() if name in self.symbols}
        entries = evaluate_forms(self, given, max(digits, 15)) if given else ()
        # numbers for formulas alone need no exponent
        if known or (given and all(entry.value is None for entry in entries)):
            exponent, regime = self(**known), self._regime(known)
            power = None if regime.log_power is None else self.log_power(**known)
            # as they were given and, where that is another paper's way, as they are read
            written = {name: value for name, value in given.items() if name not in read}
            found.append(
                presentation.Value(
                    {**written, **known}, exponent, regime.name, power, self.variable
                )
            )
        if given:
            found.append(presentation.Evaluated(read, entries, digits))
        if published:
            at = self.published_value(**known) if known and self.published else None
            factor = self._published_factor(known)
            elsewhere = (self.published, self.published_expr, at, factor, self.misprints)
            found.append(presentation.Elsewhere(*elsewhere))
        return tuple(found)

    def derivation_blocks(
        self, checks: tuple[StepCheck, ...] | None = None
    ) -> tuple[presentation.Block, ...]:
        """Return the derivation as blocks of `presentation`, with what the machine found if it was asked."""
        return (
            presentation.Title(self.name, self.statement),
            presentation.Steps(self.derivation.steps, checks),
            presentation.Conclusion(self.expr, self.validity),
        )

    def latex(self) -> str:
        """Write the law as one LaTeX formula, constant included where it is known."""
        return rendering.latex([self._scaling()])

    def explain(self, markup: str = "markdown") -> str:
        """Explain the law: statement, validity, regimes, formulas, every step of the derivation, sources.

        Parameters
        ----------
        markup : {"markdown", "html"}
            Formulas stand between dollar signs in Markdown, and as MathJax reads them in HTML.

        Returns
        -------
        str
            A document.
        """
        markups = {"markdown": rendering.markdown, "html": rendering.html}
        write = markups[choice("markup", markup, markups)]
        return write(self.explanation_blocks())

    def explanation_blocks(self) -> tuple[presentation.Block, ...]:
        """Return all that there is to say: law, derivation and every source."""
        return (*self.blocks(), *self.derivation_blocks(), presentation.Sources(self.sources))

    def _scaling(self) -> presentation.Scaling:
        return presentation.Scaling(
            self.quantity,
            self.variable,
            self.expr,
            self.constant,
            self.growth,
            self.notation,
            len(self.regimes),
        )

    def __repr__(self) -> str:
        return line(f"<Law {self.name}: {self.statement}>")

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def _repr_html_(self) -> str:
        return rendering.notebook(self.blocks(published=False))

    def _repr_markdown_(self) -> str:
        return f"**{self.name}**: {self.statement}\n\n$${self.latex()}$$"

    # -- asking for numbers -----------------------------------------------------------------------------------------

    def __call__(
        self, /, *, digits: int | None = None, outside: str = "raise", **values: Any
    ) -> Any:
        """Evaluate the exponent.

        Parameters
        ----------
        digits : int, optional
            Return an mpmath number with that many digits, at most 1000.
        outside : {"raise", "mask"}
            What to do outside the validity region: raise, or return a masked array.
        **values
            Parameters of the current notation. Integers, fractions and SymPy rationals give an exact answer, floats a
            float, arrays broadcast.

        Returns
        -------
        Rational, float, mpf or ndarray
            The exponent.

        Raises
        ------
        DomainError
            If a parameter is unknown, missing or outside the validity region; the message names the condition.

        Warns
        -----
        AccuracyWarning
            Where the law has a `caution`.
        """
        value = self._evaluate(self.expr, values, digits=digits, outside=outside)
        if self.caution is not None:
            condition = self._write(self.caution.condition)
            given = self._inputs(values, condition.free_symbols)
            if np.any(
                sp.lambdify(list(given), condition, "numpy")(
                    *(np.asarray(entry, float) for entry in given.values())
                )
            ):
                warnings.warn(
                    f"{self.name}, for {self.caution.condition}: {self.caution.reason}",
                    AccuracyWarning,
                    stacklevel=2,
                )
        return value

    def published_value(self, /, **values: Any) -> Any:
        """Evaluate the exponent as printed elsewhere; raises `DomainError` if no other formula is known."""
        if self.published_expr is None:
            raise refusal(
                "published",
                self.name,
                f"{self.name} is printed nowhere in a different form",
                named=False,
            )
        return self._evaluate(self.published_expr, values)

    def _published_factor(self, values: Mapping[str, Any]) -> float | None:
        """Return what is printed over what is derived at given parameters, where that is known."""
        if self.published is None or self.published.factor is None:
            return None
        given = self._exact(values)
        if not self.published.factor.expr.free_symbols <= given.keys():
            return None
        return self.published.factor_at(given)

    def regime(self, /, **values: Any) -> str:
        """Name the branch that holds at the given parameters."""
        return self._regime(values).name

    def log_power(self, /, **values: Any) -> Any:
        """Return the power of the logarithm that multiplies the law at the given parameters: 0 off all boundaries.

        Raises `DomainError` on a boundary where a logarithm is possible and its power is not known.
        """
        regime = self._regime(values)
        power = regime.log_power
        if power is None:
            raise refusal(
                "values",
                values,
                f"{self.name}: at '{regime.name}' ({show(values)}) a power of log({self.variable}) "
                "may multiply the law; it is not known",
                named=False,
            )
        return power.subs(self._exact(values)) if isinstance(power, sp.Expr) else power

    def evaluate(self, form: str, /, **values: Any) -> Any:
        """Evaluate one of the law's formulas.

        Parameters
        ----------
        form : str
            Key of `forms`.
        **values
            Numbers or arrays for every symbol of the formula.

        Returns
        -------
        float or ndarray
            The formula's value.

        Raises
        ------
        DomainError
            If there is no such formula, or a value is missing, unknown or not a finite number of the right sign.

        Examples
        --------
        >>> from scalinglaws import theory
        >>> theory.law("empirical.hestness").evaluate("loss", c=5, gamma=0.35, E=1.7, x=10)
        3.93341796...
        """
        known_name(f"formula of {self.name}", form, self.forms)
        found = self.forms[form]
        return evaluate_form(self.name, form, found.expr, values, found.conditions)

    def evaluations(self, /, *, digits: int | None = None, **values: Any) -> tuple[Evaluation, ...]:
        """Evaluate all of the law's formulas for which the numbers suffice.

        Parameters
        ----------
        digits : int, optional
            Return mpmath numbers with that many digits, at most 1000, instead of floats.
        **values
            Numbers for parameters, for the variable, and for other symbols of the formulas. A formula that is named like a
            symbol without a number, as N at the optimum, supplies it to the others.

        Returns
        -------
        tuple of Evaluation
            Each formula with its value, or with what it lacks; the leading term first, if the variable has a number.

        Raises
        ------
        DomainError
            If a name is unknown, or a number has the wrong sign.

        Examples
        --------
        >>> from scalinglaws import theory
        >>> law = theory.law("empirical.chinchilla")
        >>> found = law.evaluations(E=1.69, A=406.4, B=410.7, a=0.34, b=0.28, C=1e21)
        >>> {entry.name: round(entry.value, 6) for entry in found if entry.value and entry.value < 3}
        {'leading term': 0.638883, 'loss': 2.328883, 'frontier': 2.328883, 'isoflop': 2.328883}
        >>> [entry.note for entry in found if entry.name == "compute"]
        ['needs L; L must exceed E = 1.69']
        """
        return evaluate_forms(self, values, digits)

    def branch(self, /, **values: Any) -> Regime:
        """Return the branch that holds at the given parameters."""
        return self._regime(values)

    def canonical(self, values: Mapping[str, Any]) -> dict[sp.Symbol, sp.Expr]:
        """Return capacity and source that parameters of another notation stand for; nothing if some are missing."""
        entry = CONVENTIONS[self.notation]
        if self.notation == "capacity" or not set(entry.parameters) <= values.keys():
            return {}
        task = entry.to_canonical(*(to_exact(values[name], name) for name in entry.parameters))
        return dict(zip(sp.symbols("alpha beta", positive=True), task, strict=True))

    def asymptote(self, x: Any, /, **values: Any) -> Any:
        r"""Evaluate the leading term itself, :math:`c\,x^{-g}\log^{l} x`.

        Parameters
        ----------
        x : float or array_like
            Values of the law's variable, > 1.
        **values
            Parameters, as for calling the law; scalars.

        Returns
        -------
        float or ndarray
            The leading term, without the corrections that fade as x grows; on a boundary those fade only as 1/log(x).

        Warns
        -----
        AccuracyWarning
            Next to a boundary, where the leading term alone is off by more than 10 % at the smallest x.
        """
        regime = self._regime(values)
        if regime.constant is None or regime.log_power is None:
            raise refusal(
                "x",
                x,
                f"{self.name} gives the exponent only, no constant: there is no leading term to "
                "evaluate",
                named=False,
            )
        exact = {
            name: to_exact(value, name)
            for name, value in self._inputs(values, regime.constant.free_symbols).items()
        }
        # exact powers of long fractions can take minutes
        rounded = {name: sp.N(value, _DIGITS) for name, value in exact.items()}
        try:
            points = np.asarray(np.asarray(x).astype(float, casting="same_kind"))
        except (TypeError, ValueError):
            points = np.array(np.nan)
        refuse_first("x", points, ~(points > 1), "must be a number above 1, or several")
        value = regime.at(points, rounded, growth=self.growth)
        if points.size:
            self._warn_near_boundary(regime, rounded, float(np.min(points)))
        return float(value) if value.ndim == 0 else value

    def _warn_near_boundary(
        self, regime: Regime, rounded: Mapping[sp.Symbol, sp.Expr], smallest: float
    ) -> None:
        """Warn where the term that was left out is not small: next to a boundary both grow, with opposite signs."""
        for other in self.regimes:
            if regime.left_out(other, rounded, smallest) > 0.1:
                warnings.warn(
                    f"{self.name}: at these parameters, close to the boundary between '{regime.name}' and '{other.name}', the leading "
                    "term alone is off by more than 10 %; use larger x, parameters on the boundary itself, or the solver",
                    AccuracyWarning,
                    stacklevel=3,
                )

    def in_notation(self, name: str) -> Law:
        """Return the same law written in another paper's symbols.

        Parameters
        ----------
        name : str
            Key of `scalinglaws.notation.CONVENTIONS`, or of the law's own `conventions` if it has any.

        Returns
        -------
        Law
            Same derivation; `expr`, `constant`, `validity`, `published_expr` and calls use the new symbols.

        Raises
        ------
        DomainError
            If the law has no such notation, or none of its regimes holds for a task that the notation can describe.

        Examples
        --------
        >>> from scalinglaws import theory
        >>> theory.law("linear.data").in_notation("bordelon").expr
        Min(2*b, a - 1)
        >>> theory.law("perceptron.gamma1").in_notation("squared").expr
        1/4
        """
        if self.conventions:
            if name not in self.conventions:
                raise unknown_name(f"notation of {self.name}", name, self.conventions)
            return self._converted(name)
        entry = convention(name)
        if not self.task:
            raise refusal(
                "name",
                name,
                f"{self.name} is not about capacity and source: only its own notation is available",
                named=False,
            )
        if self.notation == "capacity" and not set(self.symbols) <= set(
            convention("capacity").parameters
        ):
            raise refusal(
                "name",
                name,
                f"{self.name} has parameters other than alpha and beta: only its own notation is "
                "available",
                named=False,
            )
        name = entry.name
        if name not in self._written:
            law = replace(
                self,
                notation=name,
                symbols=dict(zip(entry.parameters, entry.meanings, strict=True)),
            )
            vars(law)["derived"] = self.derived  # one derivation for all notations
            if not law.regimes:
                raise refusal(
                    "name",
                    name,
                    f"{self.name} says nothing in the notation {name!r}: none of its regimes meets "
                    f"the tasks that {', '.join(entry.parameters)} can describe",
                    named=False,
                )
            self._written[name] = law
        return self._written[name]

    def _converted(self, name: str) -> Law:
        """Return the law in a convention of its own, derived anew."""
        first = self._first
        if not self.conventions[name]:
            return first
        if name not in first._written:
            law = replace(first, **self.conventions[name])
            vars(law).update(_first=first, _other_notation=name)
            first._written[name] = law
        return first._written[name]

    @cached_property
    def _first(self) -> Law:
        """The law in the first of its conventions."""
        return self

    @cached_property
    def _other_notation(self) -> str:
        """The notation or convention in which the law is written, if it is not the law's own."""
        return "" if self.notation == "capacity" else self.notation

    @cached_property
    def _written(self) -> dict[str, Law]:
        return {}

    # -- internals --------------------------------------------------------------------------------------------------

    def _printed(self) -> dict[str, str]:
        """Return the names that formulas write differently, and how."""
        written = {name: str(self._symbol(name)) for name in self.symbols}
        return {name: symbol for name, symbol in written.items() if symbol != name}

    def _symbol(self, name: str) -> sp.Symbol:
        """Return the printed symbol of a parameter name in the current notation."""
        entry = CONVENTIONS[self.notation]
        printed = dict(
            zip(entry.parameters, zip(entry.symbols, entry.positive, strict=True), strict=True)
        )
        symbol, positive = printed.get(name, (name, True))
        return sp.Symbol(symbol, positive=True) if positive else sp.Symbol(symbol, real=True)

    def _write(self, expr: sp.Basic) -> sp.Basic:
        """Rewrite an expression from (alpha, beta) into the current notation."""
        if self.notation == "capacity":
            return expr
        entry = CONVENTIONS[self.notation]
        alpha, beta = entry.to_canonical(*(self._symbol(name) for name in entry.parameters))
        written = expr.subs(
            {
                sp.Symbol("alpha", positive=True): sp.Symbol("_alpha", positive=True),
                sp.Symbol("beta", positive=True): beta,
            }
        ).subs(sp.Symbol("_alpha", positive=True), alpha)
        return tidy(written)

    def _read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values by the law's own names, also where they were given as another paper writes them."""
        if not (self.task and self.notation == "capacity"):
            return dict(values)
        others = {str(symbol) for form in self.forms.values() for symbol in form.expr.free_symbols}
        read = canonical(values, {*self.symbols, str(self.variable), *others})
        needless = read.keys() - values.keys() - set(self.symbols)
        return {name: value for name, value in read.items() if name not in needless}

    def _known(self, values: Mapping[str, Any]) -> None:
        for name in self._read(values):
            if name not in self.symbols:
                more = belonging(name) if self.task else ""
                raise unknown_name(f"parameter of {self.name}", name, self.symbols, more)

    def _inputs(self, values: Mapping[str, Any], needed: set[sp.Symbol]) -> dict[sp.Symbol, Any]:
        values = self._read(values)
        self._known(values)
        given = {self._symbol(name): value for name, value in values.items()}
        missing = [
            name for name in self.symbols if self._symbol(name) in needed and name not in values
        ]
        if missing:
            raise refusal(
                missing[0],
                None,
                f"{self.name} needs {', '.join(missing)} ("
                f"{'; '.join(self.symbols[name] for name in missing)})",
                named=False,
            )
        return given

    def _exact(self, values: Mapping[str, Any]) -> dict[sp.Symbol, sp.Expr]:
        return {
            self._symbol(name): to_exact(value, name) for name, value in self._read(values).items()
        }

    def _evaluate(
        self,
        expr: sp.Expr,
        values: Mapping[str, Any],
        *,
        digits: int | None = None,
        outside: str = "raise",
    ) -> Any:
        choice("outside", outside, ("raise", "mask"))
        digits = None if digits is None else digit_count("digits", digits)
        given = self._inputs(values, expr.free_symbols)
        checked = [
            condition for condition in self.validity if condition.free_symbols <= given.keys()
        ]
        if any(
            (value.ndim if isinstance(value, np.ndarray) else floats(str(name), value).ndim) > 0
            for name, value in given.items()
            if isinstance(value, (np.ndarray, list, tuple))
        ):
            if digits is not None:
                raise refusal(
                    "digits", digits, "goes with single numbers, not with arrays", shown=False
                )
            return evaluate_arrays(self.name, expr, checked, given, outside)
        given = {
            name: value.item() if isinstance(value, np.ndarray) else value
            for name, value in given.items()
        }
        exact = {name: to_exact(value, name) for name, value in given.items()}
        rounded = any(not is_exact(value) for value in given.values())
        for condition in checked:
            if not (nearly(condition, exact) if rounded else holds(condition, exact)):
                if outside == "mask":
                    return np.ma.masked
                raise outside_validity(self.name, condition, values)
        result = expr.subs(exact)
        if rounded and self.derived.piecewise and expr is self.expr:
            # arithmetic on floats misses a boundary by rounding
            line = (
                entry
                for entry in self.regimes
                if entry.on_boundary and nearly(entry.condition, exact)
            )
            result = next((entry.exponent.subs(exact) for entry in line), result)
        if digits is not None:
            with mpmath.workdps(digits):
                return mpmath.mpf(sp.N(result, digits)._mpf_)
        if any(not is_exact(value) for value in given.values()):
            return float(result)
        return result

    def _regime(self, values: Mapping[str, Any]) -> Regime:
        self._evaluate(self.expr, values)
        needed = set().union(*(regime.condition.free_symbols for regime in self.regimes))
        given = self._inputs(values, needed)
        exact = self._exact(values)
        if any(not is_exact(value) for value in given.values()):
            # arithmetic on floats misses a boundary by rounding: (4.6 - 1)/1.8 is not quite 2
            for regime in self.regimes:
                if regime.on_boundary and all(
                    nearly(relation, exact) for relation in sp.And.make_args(regime.condition)
                ):
                    return regime
        for regime in sorted(self.regimes, key=lambda entry: not entry.on_boundary):
            if bool(regime.condition.subs(exact)):
                return regime
        raise refusal(
            "values", dict(values), f"no regime of {self.name} holds at {show(values)}", named=False
        )


def _bounds_a_sum(condition: sp.Basic) -> bool:
    """Whether a condition asks a sum of parameters to be positive, whatever the signs of its terms."""
    return bool(
        isinstance(condition, sp.Gt)
        and condition.rhs == 0
        and condition.lhs.is_Add
        and all(term.is_Symbol for term in condition.lhs.args)
    )
