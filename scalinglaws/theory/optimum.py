r"""Optima of losses with several bottlenecks, derived: which terms balance, with which exponent, and why nothing does better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import sympy as sp

from ..arguments import flag
from ..errors import refusal
from ..reprs import short_repr
from .balance import Balance, allocate, regimes_in_region
from .derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from .monomials import power_of, power_product, reduced
from .parameters import as_expression
from .records import Derived, Regime
from .references import DUFFIN_1967, Reference


@short_repr
@dataclass(frozen=True)
class CostLimited:
    r"""A sum of bottlenecks in free scales, minimized under a budget.

    .. math:: L(C) = \min_X \sum_i c_i X^{a_i} \quad\text{with}\quad X^{F} = C

    Attributes
    ----------
    terms : mapping of str to Expr
        Bottlenecks by name; each a monomial or a sum of monomials in the free scales.
    free : tuple of Symbol
        The scales to choose.
    scale : Symbol
        What grows: compute, or whatever the budget bounds.
    budget, caps
        As for `scalinglaws.theory.balance.allocate`.
    box : mapping of Symbol to (low, high)
        Ranges of the parameters; regimes outside it are not found. Empty where all exponents are numbers.
    where : tuple of Relational
        Further conditions on the parameters.
    names : mapping of frozenset of str to str
        Names for balances of terms; by default the terms' names.
    constants : bool
        Whether the sum is the loss itself, so that constants mean something, or only gives its exponents.
    logarithm : Symbol or None
        A symbol in coefficients that stands for the logarithm of the scale.
    reference : Reference or None
        Source of the sum.
    """

    terms: Mapping[str, sp.Expr]
    free: tuple[sp.Symbol, ...]
    scale: sp.Symbol
    budget: Any = None
    caps: tuple[Any, ...] = ()
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=dict)
    where: tuple[sp.Basic, ...] = ()
    names: Mapping[frozenset[str], str] = field(default_factory=dict)
    constants: bool = True
    logarithm: sp.Symbol | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        """Refuse what is no flag."""
        flag("constants", self.constants)

    @cached_property
    def _outcomes(self) -> tuple[tuple[Balance, sp.Basic, bool], ...]:
        """Winners, where they win, and whether other balances are equal there."""
        allocation = allocate(sum(self.terms.values()), self.free, self.budget, self.caps)
        if not self.box:
            optimum = allocation.at({}, self.scale)
            return ((_preferred(optimum.balance, optimum.ties), sp.true, bool(optimum.ties)),)
        found = regimes_in_region(
            allocation, self.scale, self.box, where=self.where, logarithm=self.logarithm
        )
        if incomplete := [entry for entry in found if entry.uncovered]:
            raise refusal(
                "box",
                self.box,
                f"the conditions of {incomplete[0].regime} do not separate it from its neighbors: "
                "give a smaller box",
                named=False,
            )
        return tuple(
            (_preferred(entry.regime, entry.ties), sp.And(*entry.conditions), bool(entry.ties))
            for entry in found
        )

    @property
    def winners(self) -> tuple[tuple[Balance, sp.Basic], ...]:
        """The balances that win somewhere in the box, and where."""
        return tuple((entry, condition) for entry, condition, _ in self._outcomes)

    @property
    def exact(self) -> bool:
        """Whether constants are known: asked for, and no winner is equal to a balance of other terms."""
        return self.constants and not any(tied for _, _, tied in self._outcomes)

    def regimes(self, of: sp.Expr | None = None) -> tuple[Regime, ...]:
        """Return the regimes of the loss, or of a monomial in the free scales at the optimum, without the derivation's steps."""
        return tuple(_regime(self, entry, condition, of) for entry, condition in self.winners)


def derive_optimum(model: CostLimited, of: sp.Expr | None = None) -> Derived:
    """Derive how the least loss, or an optimal scale, grows with the budget.

    Parameters
    ----------
    model : CostLimited
        Terms, free scales and budget.
    of : Expr, optional
        A monomial in the free scales, whose growth is asked for instead of the loss.

    Returns
    -------
    Derived
        One regime per balance that wins somewhere in the box.

    Raises
    ------
    DomainError
        As `allocate` and `regimes_in_region`; or if the optimum does not determine `of`.

    Examples
    --------
    >>> N, t, C, alpha, beta = sp.symbols("N t C alpha beta", positive=True)
    >>> model = CostLimited({"time": t**-beta, "model": N ** (-alpha * beta)}, (N, t), C, (N * t, C), box={alpha: (1, 3), beta: (0.2, 0.9)})
    >>> derive_optimum(model).expr
    alpha*beta/(alpha + 1)
    >>> derive_optimum(model, of=N).expr
    1/(alpha + 1)
    """

    def build() -> Derivation:
        return Derivation(tuple(optimum_steps(model, of)), model.where, dict(model.box))

    return Derived(model.regimes(of), model.where, build, piecewise=True)


def optimum_steps(
    model: CostLimited, of: sp.Expr | None = None, *, suffix: str = "", case: sp.Basic = sp.true
) -> list[Step]:
    """Write the steps of `derive_optimum`.

    Parameters
    ----------
    model, of
        As for `derive_optimum`.
    suffix : str
        Appended to the symbols of the steps, to keep several derivations apart.
    case : Basic
        Condition under which the steps hold.

    Returns
    -------
    list of Step
        In the order of the argument.
    """
    steps = _steps(model, model.winners, suffix, case)
    if of is not None:
        quantity = sp.Symbol(f"X{suffix}", positive=True)
        named = of.subs({name: _tagged(name, suffix) for name in model.free})
        claimed = pieces(
            [(_optimal(model, entry, of), condition) for entry, condition in model.winners]
        )
        steps += [
            step(
                quantity, named, DEFINITION, f"what is asked for: {of} at the optimum", where=case
            ),
            step(quantity, claimed, EQUAL, "a power of the budget in each regime", where=case),
        ]
    return steps


def _preferred(entry: Balance, ties: Sequence[Balance]) -> Balance:
    """Prefer, among balances that are equal, one that determines all scales."""
    return next((other for other in (entry, *ties) if None not in other.allocation.values()), entry)


def _regime(model: CostLimited, entry: Balance, condition: sp.Basic, of: sp.Expr | None) -> Regime:
    logs = sp.S.Zero
    if of is None:
        power = entry.exponent(model.scale)
        if model.logarithm is not None:
            logs = reduced(entry._raw_exponent(model.logarithm))
    else:
        whole = _optimal(model, entry, of)
        power = power_of(whole, model.scale)
        if model.logarithm is not None:
            logs = power_of(whole, model.logarithm)
    constant = None
    if model.exact:
        whole = entry.value * entry.leading_constant if of is None else whole
        constant = sp.powsimp(
            whole
            / model.scale**power
            / (model.logarithm**logs if model.logarithm is not None else 1)
        )
    return Regime(
        _name(model, entry), condition, reduced(-power if of is None else power), constant, logs
    )


def _optimal(model: CostLimited, entry: Balance, of: sp.Expr) -> sp.Expr:
    of = as_expression("of", of)
    chosen = entry.leading_alloc if model.exact else entry.allocation
    if not of.free_symbols & set(model.free):
        raise refusal("of", of, f"contains none of the scales {', '.join(map(str, model.free))}")
    missing = [name for name in model.free if chosen[name] is None and name in of.free_symbols]
    if missing:
        raise refusal(
            "of", of, f"the balance {entry} leaves {missing[0]} undetermined", named=False
        )
    return sp.powsimp(
        sp.expand_power_base(
            of.subs({name: value for name, value in chosen.items() if value is not None}),
            force=True,
        )
    )


def _name(model: CostLimited, entry: Balance) -> str:
    owner = {
        part: label for label, whole in model.terms.items() for part in sp.Add.make_args(whole)
    }
    labels = list(
        dict.fromkeys(
            owner.get(part, str(part))
            for active in entry.active
            for part in sp.Add.make_args(active)[:1]
        )
    )
    order = list(model.terms)
    labels.sort(key=lambda label: order.index(label) if label in order else len(order))
    return model.names.get(frozenset(labels), " = ".join(labels))


def _tagged(name: sp.Symbol, suffix: str) -> sp.Symbol:
    return sp.Symbol(f"{name}{suffix}", positive=True)


def pieces(parts: list[tuple[sp.Expr, sp.Basic]]) -> sp.Expr:
    """Join regimes into one expression: a Piecewise where there are several."""
    return parts[0][0] if len(parts) == 1 else sp.Piecewise(*parts)


def _steps(
    model: CostLimited, winners: Sequence[tuple[Balance, sp.Basic]], suffix: str, case: sp.Basic
) -> list[Step]:
    """Write the two halves of the argument: the allocation reaches the exponent, and no allocation gets below it."""
    program = winners[0][0]._program
    names = {name: _tagged(name, suffix) for name in model.free}
    loss, largest = (sp.Symbol(f"{letter}{suffix}", positive=True) for letter in ("L", "h"))
    terms = [term.expr for term in program.terms]
    middle = {
        name: (sp.Rational(low) + sp.Rational(high)) / 2 for name, (low, high) in model.box.items()
    }

    def accept(entry: Balance, solved: Mapping[sp.Symbol, sp.Expr]) -> bool:
        """Whether no term exceeds the balanced ones, in the middle of the box."""
        highest = max(
            float(power_of(_monomial_at(term, solved), model.scale).subs(middle)) for term in terms
        )
        return highest <= float(entry.exponent(model.scale).subs(middle)) + 1e-9

    chosen = [
        (entry.determined(leading=model.exact, accept=partial(accept, entry)), condition)
        for entry, condition in winners
    ]
    steps: list[Step] = []
    budgets = dict.fromkeys(model.free)
    for item in program.budgets:
        name = next(
            name
            for name, power in zip(reversed(model.free), reversed(item.exponents), strict=True)
            if power != 0 and budgets[name] is None
        )
        budgets[name] = item.expr.subs(names)
    for name in model.free:
        value = pieces([(solved[name], condition) for solved, condition in chosen])
        if budgets[name] is None:
            steps.append(
                step(
                    names[name],
                    value,
                    DEFINITION,
                    f"choose {name} so that the leading terms balance",
                    where=case,
                )
            )
        else:
            steps.append(
                step(
                    names[name], value, solves(budgets[name]), "spend the whole budget", where=case
                )
            )
    inserted, exponents = [], []
    for solved, condition in chosen:
        values = [_monomial_at(term, solved) for term in terms]
        inserted.append((sp.Add(*values), condition))
        exponents.append((sp.Max(*(power_of(value, model.scale) for value in values)), condition))
    claimed = pieces([(entry.exponent(model.scale), condition) for entry, condition in winners])
    steps += [
        step(
            loss,
            sp.Add(*terms).subs(names),
            DEFINITION,
            "bottlenecks add up",
            model.reference,
            case,
        ),
        step(loss, pieces(inserted), EQUAL, "with that allocation inserted", where=case),
        step(
            largest,
            pieces(exponents),
            DEFINITION,
            f"the largest power of {model.scale} among the terms",
            where=case,
        ),
        step(
            largest,
            claimed,
            EQUAL,
            "the balanced terms lead; no other term exceeds them",
            where=case,
        ),
    ]
    if model.exact and len(winners) == 1 and winners[0][0].exact_constant is not None:
        entry = winners[0][0]
        steps.append(
            step(
                loss,
                entry.value * entry.leading_constant,
                EQUAL,
                "the minimum, with its constant",
                where=case,
            )
        )
    elif model.exact:
        value = pieces(
            [(entry.value * entry.leading_constant, condition) for entry, condition in winners]
        )
        steps.append(
            step(
                loss,
                value,
                asymptotic(model.scale),
                "the leading terms at their own optimum",
                where=case,
            )
        )
    for number, (entry, _) in enumerate(winners, start=1):
        steps += _bound(model, entry, f"{suffix}_{number}" if len(winners) > 1 else suffix, case)
    return steps


def _monomial_at(term: sp.Expr, solved: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Insert an allocation into a term and collect powers."""
    inserted = term.subs(
        {name: value for name, value in solved.items() if value is not None}, simultaneous=True
    )
    return sp.Add(*(power_product([(part, sp.S.One)]) for part in sp.Add.make_args(inserted)))


def _bound(model: CostLimited, entry: Balance, suffix: str, case: sp.Basic) -> list[Step]:
    """Bound the sum from below for every allocation: by the inequality of weighted arithmetic and geometric means."""
    mean = sp.Symbol(f"M{suffix}", positive=True)
    anything = {name: sp.Symbol(f"{name}_any", positive=True) for name in model.free}
    weights = entry.duals.items()
    product = sp.Mul(*((term / (y if model.exact else 1)) ** y for term, y in weights))
    for relation, mu in entry.multipliers.items():
        left, right = relation.args
        product *= (left / right) ** mu
    value = entry.value * (entry.leading_constant if model.exact else 1)
    terms, which = (", ".join(map(str, parts)) for parts in zip(*weights, strict=True))
    reason = f"for any allocation the sum of {terms} is at least their geometric mean with weights {which}"
    return [
        step(mean, product.subs(anything), DEFINITION, reason, DUFFIN_1967, case),
        step(
            mean,
            value,
            EQUAL,
            "which is the same for every allocation that keeps the budget: none does better",
            where=case,
        ),
    ]
