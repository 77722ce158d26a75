"""The laws of patterns that the package ships."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from ..building import laws_of
from ..formula import Law, Misprint, Published
from ..references import RINGEL_2025, RUBIN_2025
from ._architectures import attention, convolutional, fully_connected
from ._bound import COST, EvidenceLimited, derive_bound
from ._coordinates import SCALE
from ._derivation import derive_pattern

_N, _N1, _N2 = sp.symbols("n n_1 n_2", positive=True)
_PATCH, _LENGTH = sp.symbols("s ell", positive=True)
_TALK = RUBIN_2025.at("as presented in Z. Ringel's talk on patterns of feature learning")


_build = laws_of(
    "patterns",
    quantity="samples at which the target is learned",
    variable=SCALE,
    reference=(RUBIN_2025, RINGEL_2025),
    standing="heuristic",
    derive=derive_pattern,
    growth=True,
)


@lru_cache(maxsize=1)
def two_layer_law() -> Law:
    r"""Return ``patterns.two_layer``: :math:`P_* \sim \sqrt{N d}` from :math:`N = d` to :math:`d^5`, where lazy learning takes over.

    Below :math:`N = d` one neuron specializes in part, :math:`P_* \sim d^{3/4} N^{1/4}`.
    """
    return _build(
        "two_layer",
        "samples by which a two-layer network of given width learns a cubic Hermite "
        "target: one specialized neuron, many, or none",
        symbols={"n": "width exponent: the hidden layer has d^n neurons"},
        model=fully_connected([_N], 3),
        misprints=(
            Misprint(
                "overlap",
                "w_1^3 for the overlap of a neuron erf(w x) with the cubic target",
                "-(4/sqrt(pi)) w_1^3 (1 + 2 |w|^2)^(-3/2) with He_3, and <He_3^2> = 6",
                "the toy model drops both constants and the saturation: it keeps the powers, and its numbers are those of another "
                "normalization of the target",
                f"{_TALK}",
            ),
            Misprint(
                "cubic-tail",
                "t^(2/3) for the cost -log P(a^3 > t) of a cube of a normal number",
                "t^(2/3)/2",
                "a^3 > t means a > t^(1/3), whose cost is a^2/2",
                f"{_TALK}",
            ),
        ),
    )


@lru_cache(maxsize=1)
def convolutional_law() -> Law:
    r"""Return ``patterns.convolutional``: :math:`P_* \sim \sqrt{d\,C}` for :math:`C < d` channels."""
    return _build(
        "convolutional",
        "samples by which a linear convolutional network of given number of channels "
        "learns one filter",
        symbols={
            "n": "channel exponent: there are d^n channels",
            "s": "patch exponent: a patch has d^s inputs, and there are d^(1 - s)",
        },
        model=convolutional([_N], patch_exponent=_PATCH),
        published=Published(
            sp.Max(_PATCH, 1 - _PATCH + _N),
            "the cost S + N C of a single specialized channel, printed as proportional to sqrt(d C) and to d; at N = S = C = sqrt(d) it "
            "is d, while M channels at their best number cost sqrt(d C) = d^(3/4), the same as Gaussian feature learning",
            _TALK,
            point={"n": sp.S.Half, "s": sp.S.Half},
        ),
    )


@lru_cache(maxsize=1)
def three_layer_law() -> Law:
    r"""Return ``patterns.three_layer``: :math:`P_* \sim \sqrt{\min(N_1, N_2)\,d}`: the narrower layer specializes, the other stays lazy.

    That holds from :math:`N_1, N_2 = d` to :math:`d^5`. In layers narrower than the input a single neuron specializes, with an amplitude
    below one: in one of the layers where the other is wide enough, else in both, or in the first with more of them in the second.
    """
    return _build(
        "three_layer",
        "samples by which a three-layer network of given widths learns a "
        "cubic Hermite target: which layer specializes",
        symbols={
            "n_1": "width exponent of the first hidden layer",
            "n_2": "width exponent of the second hidden layer",
        },
        model=fully_connected([_N1, _N2], 3),
        published=Published(
            (_N1 + _N2 + 1) / 3,
            "the cost of S(1) G(3), specialization followed by Gaussian feature learning on the target; it is never strictly the cheapest "
            "pattern in exponents: from N_1, N_2 = d on a single specialized layer, the other one lazy, costs at most as much. The same "
            "power is the least one for n_1 < 1, 2 n_2 > 1 + n_1, n_1 + 4 n_2 < 5, but there both layers specialize on x_1, the first by "
            "one neuron",
            _TALK,
            point={"n_1": sp.Integer(2), "n_2": sp.Integer(2)},
        ),
        misprints=(
            Misprint(
                "neurons",
                "M_1 = (N_1 d/d^2)^(1/3) specialized neurons in S(1) G(3)",
                "M_1 = (N_1 N_2/d^2)^(1/3)",
                "it minimizes d M_1 + N_1 beta/M_1 + N_2/beta",
                f"{_TALK}",
            ),
        ),
    )


@lru_cache(maxsize=1)
def attention_law() -> Law:
    r"""Return ``patterns.attention``: :math:`P_* \sim \sqrt L/(s_A s_w)` until the softmax saturates."""
    return _build(
        "attention",
        "samples by which a softmax attention head learns to compare positions, against "
        "the length of its sequences",
        symbols={
            "ell": "length exponent: sequences have d^ell positions; scores and values have prior deviations 1/d and d^(-1/2)"
        },
        model=attention(_LENGTH),
        published=Published(
            _LENGTH / 2,
            "the power of the length alone, at priors of order one; with those the softmax saturates before the target is met, and the "
            "cost grows as L/log(L)",
            _TALK,
            point={"ell": sp.S.One},
        ),
        misprints=(
            Misprint(
                "target",
                "the target x_1^a x_2^a x_3^b",
                "x_1^a x_2^b x_3^b",
                "the printed one has exactly zero overlap with the pattern: x_3 does not enter the scores, and the weights of a position "
                "add up to one",
                f"{_TALK}",
            ),
        ),
    )


@lru_cache(maxsize=1)
def unlearnability_law() -> Law:
    r"""Return ``patterns.unlearnability_bound``: :math:`P_* \ge 2\sigma^2 C/(\mathrm{Tr} K + \langle y^2\rangle)`."""
    return _build(
        "unlearnability_bound",
        "samples below which no posterior is aligned with the target, whatever the data: a theorem",
        quantity="samples that alignment needs at least",
        variable=COST,
        symbols={
            "sigma2": "variance of the Gaussian likelihood, the ridge",
            "K": "prior variance of the output, averaged over the inputs: Tr K",
            "y2": "mean square of the target",
        },
        standing="exact",
        model=EvidenceLimited(),
        derive=derive_bound,
        published=Published(
            sp.S.One,
            "the same power without its prefactor, P ~ C: an estimate where this is a bound, and priors omit their 1/2",
            _TALK,
        ),
        misprints=(
            Misprint(
                "gaussian-process",
                "log P = 1/lambda for the alignment of a Gaussian process of eigenvalue lambda",
                "-log P = 1/(2 lambda)",
                "the alignment is normal with variance lambda; sign and 1/2 were dropped",
                f"{_TALK}",
            ),
            Misprint(
                "posterior",
                "the exponent of the posterior without the 1/2 of its likelihood, or with the other sign",
                "-(f - y)^2/(2 kappa^2)",
                "a normal likelihood of variance kappa^2; the bound uses it",
                f"{_TALK}",
            ),
        ),
    )
