"""The laws of renormalization that the package ships."""

from __future__ import annotations

from functools import lru_cache

from ..building import laws_of
from ..formula import Law, Misprint
from ..learnability import RidgedSpectrum
from ..references import ATANASOV_2024, RINGEL_2025, RUBIN_2025
from ..symbols import P
from ._letters import CUTOFF, RATIO
from .exponents import derive_no_wilson_fisher, derive_stable_exponents
from .flows import Flow, action_flow, likelihood_flow
from .ridge import IntegratedModes, derive_infrared, derive_ridge_flow

TALK = RUBIN_2025.at("as presented in Z. Ringel's talk on patterns of feature learning")
_ALPHA = "spectral decay: eigenvalues of the kernel fall as k^-(1 + alpha)"
_build = laws_of(
    "renormalization",
    symbols={"alpha": _ALPHA},
    reference=(RINGEL_2025,),
    task=False,
)


@lru_cache(maxsize=1)
def _flows() -> dict[str, Flow]:
    """Return the flow in every convention."""
    return {
        "per_datum": likelihood_flow(),
        "measure": action_flow("generic"),
        "conserving": action_flow("conserving"),
    }


@lru_cache(maxsize=1)
def ridge_flow_law() -> Law:
    r"""Return ``renormalization.ridge_flow``: :math:`\sigma^2_\Lambda - \sigma^2 \sim \Lambda^{-\alpha}/\alpha`."""
    return _build(
        "ridge_flow",
        "what the modes beyond a cutoff add to the ridge when they are integrated out, for a squared loss",
        quantity="sigma2_Lambda - sigma2, beyond the modes that are learned",
        variable=CUTOFF,
        reference=(RINGEL_2025, ATANASOV_2024),
        model=IntegratedModes(),
        derive=derive_ridge_flow,
        standing="asymptotic",
    )


@lru_cache(maxsize=1)
def stable_exponents_law() -> Law:
    r"""Return ``renormalization.stable_exponents``: :math:`\alpha` per datum, 1 for an action over the measure."""
    action = {
        "quantity": "deviation from the stable zero, the massive one at R = 2 r lambda -> infinity, X = Lambda_0/Lambda",
        "standing": "asymptotic",
    }
    return _build(
        "stable_exponents",
        "where the couplings r, u of a loss flow as modes are integrated out, how they approach it, and every zero of the flow with its "
        "exponents",
        quantity="deviation from the stable zero, the ridge made of integrated modes, X = Lambda_0/Lambda",
        variable=RATIO,
        model=_flows()["per_datum"],
        derive=derive_stable_exponents,
        conventions={
            "per_datum": {},
            "measure": {"model": _flows()["measure"], **action},
            "conserving": {"model": _flows()["conserving"], **action},
        },
        misprints=(
            Misprint(
                "action",
                "the action of a Gaussian process as sum f_k^2/lambda_k",
                "sum f_k^2/(2 lambda_k)",
                "as printed, modes have the variance lambda_k/2; the flow is the same, in R = r lambda and U = 3 u Lambda lambda^2",
                f"{TALK}",
            ),
        ),
    )


@lru_cache(maxsize=1)
def no_wilson_fisher_law() -> Law:
    r"""Return ``renormalization.no_wilson_fisher``: :math:`U \sim X^{1+2\alpha}`, without a zero, for eigenfunctions in general.

    A flow that conserves momentum has one, ``in_notation("conserving")``.
    """
    return _build(
        "no_wilson_fisher",
        "for eigenfunctions in general the flow of r and u has no zero with u > 0; a flow that conserves momentum has one, of order one "
        "and uncontrolled",
        quantity="dimensionless quartic coupling U over its start, X = Lambda_0/Lambda",
        variable=RATIO,
        growth=True,
        model=_flows()["measure"],
        derive=derive_no_wilson_fisher,
        standing="asymptotic",
        conventions={
            "measure": {},
            "per_datum": {
                "model": _flows()["per_datum"],
                "standing": "derived",
                "statement": "the flow of a likelihood per datum has no zero with u > 0; the one that has u < 0 is no likelihood",
            },
            "conserving": {
                "model": _flows()["conserving"],
                "standing": "heuristic",
                "statement": "a flow that conserves momentum does have a zero with u > 0, of order one and uncontrolled",
                "quantity": "dimensionless quartic coupling U at a zero with U > 0, which this flow does have, X = Lambda_0/Lambda",
            },
        },
        misprints=(
            Misprint(
                "fixed-point",
                "that there is no Wilson-Fisher fixed point, without a condition",
                "that there is none for eigenfunctions in general",
                "where momentum is conserved, as for a kernel invariant under translations, pairs of modes rebuild a local quartic term, "
                "and the one-loop flow has a zero with U > 0 (--notation conserving), of order one, so that one loop does not control it",
                f"{TALK}",
            ),
        ),
    )


@lru_cache(maxsize=1)
def infrared_scale_law() -> Law:
    r"""Return ``renormalization.infrared_scale``: :math:`\Lambda_* = \alpha P`, or :math:`(P/\sigma^2)^{1/(1+\alpha)}` at fixed ridge."""
    return _build(
        "infrared_scale",
        "the mode down to which integrated modes only add to the ridge: beyond it P samples teach nothing",
        quantity="cutoff at which P times the eigenvalue is the ridge of the flow",
        variable=P,
        growth=True,
        symbols={
            "alpha": _ALPHA,
            "rho": "the ridge on K(D, D), without 1/P, falls as s P^-rho: 0 where it is fixed, above alpha where it does not matter",
            "s": "the ridge, or its amplitude",
        },
        model=RidgedSpectrum(),
        derive=derive_infrared,
        standing="heuristic",
    )
