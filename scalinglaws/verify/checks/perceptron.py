"""Published exponents of the implicit-bias theory: literature, which is no evidence for this code."""

from __future__ import annotations

from collections.abc import Iterator

from ..comparison import Comparison, Measurement, Prediction, Rival
from ..registry import Context, check
from ..rule import INCONCLUSIVE, PASS

# predicted and measured exponent, standard error of their difference, for nine pairs of model and data set
PUBLISHED = (
    (0.60, 0.55, 0.09),
    (0.28, 0.25, 0.07),
    (0.16, 0.16, 0.03),
    (0.57, 0.69, 0.08),
    (0.54, 0.56, 0.04),
    (0.31, 0.37, 0.03),
    (0.47, 0.54, 0.03),
    (0.23, 0.21, 0.03),
    (0.14, 0.12, 0.04),
)
_VERIFIED = (
    3,
    5,
    8,
    9,
)  # pairs whose errors are small enough to verify agreement within the tolerance


@check(
    "perceptron.published-exponents",
    statement="nine published pairs of predicted and measured exponents are compatible",
    no_law="printed numbers on both sides: nothing here was derived or computed by this package",
)
def published_exponents(context: Context) -> Iterator[Comparison]:
    """Arithmetic on printed numbers: compatible throughout, verified within 0.1 for four of nine."""
    for number, (predicted, measured, error) in enumerate(PUBLISHED, start=1):
        verified = number in _VERIFIED
        yield Comparison(
            f"{context.check}/pair-{number}",
            Prediction(
                "exponent gamma",
                "exponent",
                predicted,
                "D'Amico, Bocchi & Negri (2025), arXiv:2505.13230",
            ),
            Measurement(measured, error, None, 1, "published", (1.0, 1.0)),
            tolerance=0.1,
            rival=Rival("exponent and half", predicted + 0.5),
            evidence="literature",
            expect=PASS if verified else INCONCLUSIVE,
            expect_reason=None
            if verified
            else "the published standard error is too large to verify agreement within 0.1",
        )
