r"""How the loss of the lazy linear model falls with time, data or model size, each by itself.

Features with variances :math:`\lambda_k = k^{-\alpha}` carry signal power :math:`s_k = k^{-(\alpha\beta+1)}`; a student sees
them through N random projections, P samples and time t. One of the three is finite in each law here, the others
infinite. Losses are :math:`E(f - y)^2`, without a factor 1/2. Features are assumed to be Gaussian, or to act as if they
were; see the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import (
    EXP,
    RATIONAL,
    Branch,
    MellinCombination,
    MellinSymbol,
    PowerSum,
    X,
    inverse_laplace_power,
    power_sum,
)
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from ..mode_counts import extensive
from ..monomials import power_of
from ..parameters import as_expression
from ..records import Derived, Regime
from ..references import ATANASOV_2024, BORDELON_2024, FLAJOLET_1995
from ..relations import strongest
from ..symbols import ALPHA, BETA, BOX, INDEX, T, check_task, free_box

_K, _KAPPA, _L, _C, _DF1, _DF2, _V = sp.symbols("K kappa L c df_1 df_2 V", positive=True)


@short_repr
@dataclass(frozen=True)
class TimeLimited:
    r"""A model whose modes are learned one after the other in time.

    .. math:: L(t) = \sum_k s_k\, r(\tau \lambda_k), \qquad \lambda_k = k^{-b},\ s_k = k^{-a},\ \tau = 2 t

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a.
    residual : MellinSymbol or MellinCombination
        r(x): fraction of a mode's power still unlearned, decreasing; ``EXP`` for gradient flow.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    variable : Symbol
        t, as it is written.
    pace : Expr
        :math:`\tau`, what the eigenvalues are multiplied with: a positive number or parameter times a power of the variable.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    residual: MellinSymbol | MellinCombination = EXP
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)
    variable: sp.Symbol = T
    pace: Any = 2 * T

    def __post_init__(self) -> None:
        """Refuse what is no exponent, no shape and no pace."""
        check_task(self, "residual")
        pace = as_expression("pace", self.pace)
        growth = power_of(pace, self.variable)
        if not growth.is_positive or not (pace / self.variable**growth).is_positive:
            raise refusal("pace", pace, f"must grow as a positive power of {self.variable}")


@short_repr
@dataclass(frozen=True)
class ModeLimited:
    r"""A model that resolves only as many modes as a resource allows.

    With :math:`\kappa = K^{-b}` the renormalized ridge, a resource n (samples or features) fixes K, and K the loss:

    .. math:: \sum_k o(\kappa/\lambda_k) = n, \qquad
              L = \frac{\sum_k s_k\, r(\kappa/\lambda_k)}{1 - \frac1n \sum_k v(\kappa/\lambda_k)},
              \qquad \lambda_k = k^{-b},\ s_k = k^{-a}

    Attributes
    ----------
    resource : Symbol
        n, as it is written.
    residual : MellinSymbol or MellinCombination
        r(x): fraction of a mode's power left unlearned.
    variance : MellinSymbol, MellinCombination or None
        v(x): share of a mode in the fluctuations; None where there are none.
    occupation : MellinSymbol or MellinCombination
        o(x): share of the resource that a mode takes.
    spectrum_exponent, signal_exponent : Expr or number
        b and a.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    resource: sp.Symbol
    residual: MellinSymbol | MellinCombination
    variance: MellinSymbol | MellinCombination | None = None
    occupation: MellinSymbol | MellinCombination = field(default_factory=lambda: RATIONAL(0, 1))
    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no shape."""
        if not isinstance(self.resource, sp.Symbol) or not self.resource.is_positive:
            raise refusal("resource", self.resource, "must be a symbol declared positive=True")
        shapes = ("residual", "occupation", *(["variance"] if self.variance is not None else []))
        check_task(self, *shapes)


@short_repr
@dataclass(frozen=True)
class TransientLimited:
    r"""What a finite number of features adds to the loss before it saturates, to first order in 1/N.

    With :math:`s = K^{-b}` the Laplace variable of time,

    .. math:: N\,\tilde E(s) = \Big[\sum_k o(s/\lambda_k)\Big] \Big[\sum_k \frac{s_k}{\lambda_k} r(s/\lambda_k)\Big],
              \qquad N\,[L(t, N) - L(t, \infty)] = \mathcal{L}^{-1}[N\tilde E](2t)

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a.
    residual, occupation : MellinSymbol or MellinCombination
        r and o.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    residual: MellinSymbol | MellinCombination = field(default_factory=lambda: RATIONAL(0, 2))
    occupation: MellinSymbol | MellinCombination = field(default_factory=lambda: RATIONAL(0, 1))
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no shape."""
        check_task(self, "residual", "occupation")


# -- derivations --------------------------------------------------------------------------------------------------------


def derive_time(model: TimeLimited) -> Derived:
    """Derive exponent and constant of a loss that falls with time.

    Parameters
    ----------
    model : TimeLimited
        Any spectrum, signal and residual (a residual with jumps derives, but its steps cannot be checked numerically).

    Returns
    -------
    Derived
        Regimes of ``L(t)``, conditions and steps.

    Examples
    --------
    A filter that forgets only as 1/(1 + x)^2 saturates at exponent 2:

    >>> derive_time(TimeLimited(residual=RATIONAL(0, 2))).expr
    Min(2, beta)
    """
    instance("model", model, TimeLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    found = power_sum(a, model.residual.compose(-b))
    variable, pace = model.variable, model.pace
    growth = power_of(pace, variable)
    resolved = pace ** (1 / b)
    loss = sp.Sum(
        INDEX ** (-a) * model.residual.function.subs(X, pace * INDEX ** (-b)), (INDEX, 1, sp.oo)
    )
    regimes = _regimes(found, variable, (growth / b, (pace / variable**growth) ** (1 / b)))
    steps = [
        step(
            _L,
            loss,
            DEFINITION,
            f"every mode decays on its own: the error of mode k falls with rate lambda_k = {INDEX ** (-b)}",
            BORDELON_2024,
        ),
        step(
            _L,
            found.leading(resolved),
            asymptotic(variable),
            f"modes up to K = {resolved} are learned; leading Mellin residue of what is left",
            FLAJOLET_1995,
        ),
        *_read_off(regimes, variable),
    ]

    def build() -> Derivation:
        return Derivation(
            tuple(steps),
            found.conditions,
            free_box(model.box, a, b, model.residual.function, pace / variable**growth),
        )

    return Derived(regimes, found.conditions, build)


def derive_mode(model: ModeLimited) -> Derived:
    """Derive exponent and constant of a loss limited by the number of samples or features.

    Parameters
    ----------
    model : ModeLimited
        Any spectrum, signal, residual, occupation and variance.

    Returns
    -------
    Derived
        Regimes of the loss as a function of the resource, conditions and steps.
    """
    instance("model", model, ModeLimited)
    a, b, n = model.signal_exponent, model.spectrum_exponent, model.resource
    eigenvalue = INDEX ** (-b)

    def mode_sum(weight: sp.Expr, shape: MellinSymbol | MellinCombination) -> sp.Expr:
        return sp.Sum(weight * shape.function.subs(X, _KAPPA / eigenvalue), (INDEX, 1, sp.oo))

    occupied, per_mode = extensive("occupation", model.occupation, b)
    resolved = n / per_mode
    left = power_sum(a, model.residual.compose(b))
    conditions = strongest(occupied.conditions + left.conditions)

    steps = [
        step(
            _KAPPA,
            _K ** (-b),
            DEFINITION,
            "the renormalized ridge kappa separates learned from unlearned modes; K is where it lies",
        ),
        step(
            _DF1,
            mode_sum(sp.S.One, model.occupation),
            DEFINITION,
            "how many modes are occupied at that ridge",
            ATANASOV_2024,
        ),
        step(
            _DF1,
            per_mode * _K,
            asymptotic(_K),
            "leading Mellin residue: proportional to K",
            FLAJOLET_1995,
        ),
        step(
            _K,
            resolved,
            solves(sp.Eq(_DF1, n, evaluate=False)),
            f"without explicit ridge the occupied modes use up {n}",
        ),
    ]
    amplification = sp.S.One
    if model.variance is not None:
        spread, share = extensive("variance", model.variance, b)
        conditions = strongest(conditions + spread.conditions)
        amplification = _amplification(model.occupation, model.variance, b)
        if amplification.is_positive is False or amplification.is_finite is False:
            raise refusal(
                "variance",
                model.variance,
                f": its sum is {share} per mode against {per_mode} of the occupation, so that the "
                "loss would not be positive",
                shown=False,
            )
        steps += [
            step(
                _DF2,
                mode_sum(sp.S.One, model.variance),
                DEFINITION,
                "how strongly the sampled modes fluctuate",
                ATANASOV_2024,
            ),
            step(
                _DF2,
                spread.leading(_K),
                asymptotic(_K),
                "leading Mellin residue: also proportional to K",
                FLAJOLET_1995,
            ),
            step(
                _V, 1 / (1 - _DF2 / n), DEFINITION, "fluctuations amplify the loss", ATANASOV_2024
            ),
            step(_V, amplification, EQUAL, "a constant: both sums are proportional to K"),
        ]
    raw = sp.Symbol("B", positive=True)
    weight = INDEX ** (-a)
    regimes = _regimes(left, n, (sp.S.One, 1 / per_mode), factor=amplification)
    steps += [
        step(
            raw,
            mode_sum(weight, model.residual),
            DEFINITION,
            "signal left unlearned at that ridge",
            BORDELON_2024,
        ),
        step(
            raw,
            left.leading(_K),
            asymptotic(_K),
            "leading Mellin residues: unresolved tail, or the first modes",
            FLAJOLET_1995,
        ),
        step(_L, (_V if model.variance is not None else 1) * raw, DEFINITION, "the loss"),
        *_read_off(regimes, n),
    ]
    shapes = [
        shape.function
        for shape in (model.residual, model.occupation, model.variance)
        if shape is not None
    ]

    def build() -> Derivation:
        return Derivation(tuple(steps), conditions, free_box(model.box, a, b, *shapes))

    return Derived(regimes, conditions, build)


def derive_transient(model: TransientLimited) -> Derived:
    """Derive how the excess loss of a finite number of features decays in time while it is small.

    Parameters
    ----------
    model : TransientLimited
        Any spectrum, signal and shapes.

    Returns
    -------
    Derived
        Regimes of N times the excess. A negative exponent means that the excess grows.

    Examples
    --------
    >>> derive_transient(TransientLimited(spectrum_exponent=2, signal_exponent=5)).expr
    1/2
    """
    instance("model", model, TransientLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    s = sp.Symbol("s", positive=True)
    occupied, per_mode = extensive("occupation", model.occupation, b)
    heads = power_sum(sp.expand(a - b), model.residual.compose(b))
    conditions = strongest(occupied.conditions + heads.conditions)
    head, transform, excess = sp.symbols("S F E", positive=True)
    ratio = (INDEX / _K) ** b
    in_s, in_t, regimes = [], [], []
    for branch in heads.branches():
        term = branch.candidate
        power, coefficient = sp.cancel(-(1 + term.exponent) / b), per_mode * term.coefficient
        logs = term.log_power
        in_s.append((coefficient * s**power * (sp.log(1 / s) / b) ** logs, branch.condition))
        inverse = inverse_laplace_power(coefficient, power, 2 * T) * (sp.log(2 * T) / b) ** logs
        in_t.append((inverse, branch.condition))
        constant = coefficient * sp.Integer(2) ** (-power - 1) / sp.gamma(-power) / b**logs
        regimes.append(
            Regime(
                REGIME_NAMES[term.origin], branch.condition, sp.cancel(1 + power), constant, logs
            )
        )
    singular, decaying = (
        pieces[0][0] if len(pieces) == 1 else sp.Piecewise(*pieces) for pieces in (in_s, in_t)
    )

    steps = [
        step(
            _DF1,
            sp.Sum(model.occupation.function.subs(X, ratio), (INDEX, 1, sp.oo)),
            DEFINITION,
            "modes resolved at s = K^-b",
            ATANASOV_2024,
        ),
        step(
            _DF1,
            per_mode * _K,
            asymptotic(_K),
            "leading Mellin residue: proportional to K",
            FLAJOLET_1995,
        ),
        step(
            head,
            sp.Sum(
                INDEX ** sp.expand(b - a) * model.residual.function.subs(X, ratio),
                (INDEX, 1, sp.oo),
            ),
            DEFINITION,
            "how strongly the modes, weighted with signal per eigenvalue, feel each other through the features",
            BORDELON_2024,
        ),
        step(
            head,
            heads.leading(_K),
            asymptotic(_K),
            "leading Mellin residue: the first modes, or those at the edge",
            FLAJOLET_1995,
        ),
        step(
            transform,
            _DF1 * head,
            DEFINITION,
            "Laplace transform of N times the excess, to first order in 1/N",
            BORDELON_2024,
        ),
        step(
            _K,
            s ** (-1 / b),
            DEFINITION,
            "s, the inverse of twice the time, is the eigenvalue at the edge",
        ),
        step(transform, singular, EQUAL, "a singular power at small s"),
        step(
            excess,
            sp.InverseLaplaceTransform(singular.subs(s, s / 2) / 2, s, T, None),
            DEFINITION,
            "errors are squared: time counts twice",
        ),
        step(
            excess,
            decaying,
            asymptotic(T),
            "Tauber: C s^e becomes C t^(-e - 1)/Gamma(-e)",
            FLAJOLET_1995,
        ),
    ]
    found = tuple(regimes)

    def build() -> Derivation:
        box = free_box(model.box, a, b, model.residual.function, model.occupation.function)
        return Derivation((*steps, *_read_off(found, T, excess)), conditions, box)

    return Derived(found, conditions, build)


def _amplification(
    occupation: MellinSymbol | MellinCombination,
    variance: MellinSymbol | MellinCombination,
    b: sp.Expr,
) -> sp.Expr:
    """Return 1/(1 - variance per occupied mode), simplified while the exponent is still a single symbol."""
    exponent = b if b.is_number else sp.Dummy("b", positive=True)
    one, two = (
        power_sum(0, shape.compose(exponent)).terms[0].coefficient
        for shape in (variance, occupation)
    )
    return sp.cancel(sp.gammasimp(1 / (1 - sp.gammasimp(one / two)))).subs(exponent, b)


REGIME_NAMES = {"zeta": "source-limited", "gamma": "saturated", "double": "boundary"}


def _regimes(
    found: PowerSum, variable: sp.Symbol, scale: tuple[sp.Expr, sp.Expr], factor: sp.Expr = sp.S.One
) -> tuple[Regime, ...]:
    """Translate the branches of a sum in K into powers of ``variable``, where K = scale[1] * variable**scale[0]."""
    power, prefactor = scale

    def translate(branch: Branch) -> Regime:
        term = branch.candidate
        exponent = sp.cancel(-term.exponent * power)
        constant = factor * term.coefficient * prefactor**term.exponent * power**term.log_power
        return Regime(
            REGIME_NAMES[term.origin], branch.condition, exponent, constant, term.log_power
        )

    return tuple(translate(branch) for branch in found.branches())


def _read_off(
    regimes: tuple[Regime, ...], variable: sp.Symbol, quantity: sp.Symbol = _L
) -> list[Step]:
    """Write the loss as constant times power; with its logarithm where the exponents are numbers that coincide."""
    plain = [regime for regime in regimes if regime.log_power == 0]
    if not plain:
        (regime,) = regimes
        leading = _C * variable ** (-regime.exponent) * sp.log(variable) ** regime.log_power
        return [
            step(_C, regime.constant, DEFINITION, "the constant in front"),
            step(
                quantity,
                leading,
                asymptotic(variable),
                "two exponents coincide: a power law times a logarithm",
            ),
        ]
    exponent = sp.Min(*(regime.exponent for regime in plain))
    constant = (
        plain[0].constant
        if len(plain) == 1
        else sp.Piecewise(*((regime.constant, regime.condition) for regime in plain))
    )
    boundary = "" if len(plain) == len(regimes) else " (times a logarithm where two exponents meet)"
    return [
        step(_C, constant, DEFINITION, "the constant in front"),
        step(quantity, _C * variable ** (-exponent), EQUAL, f"a power law{boundary}"),
    ]
