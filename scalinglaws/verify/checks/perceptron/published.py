"""Published exponents of deep networks: literature, which is no evidence for this code."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
from scipy.special import chdtrc
from scipy.stats import rankdata

from ...comparison import Comparison, Measurement, Prediction, Rival
from ...registry import Context, check
from ...rule import INCONCLUSIVE
from .tolerances import Array

SOURCE = "D'Amico, Bocchi & Negri (2025), arXiv:2505.13230"
ARCHITECTURES = ("CNN", "ResNet", "ViT")
# predicted and measured exponent, and the standard error of their difference, in the order of the architectures
PUBLISHED = {
    "MNIST": ((0.60, 0.55, 0.09), (0.57, 0.69, 0.08), (0.47, 0.54, 0.03)),
    "CIFAR10": ((0.28, 0.25, 0.07), (0.54, 0.56, 0.04), (0.23, 0.21, 0.03)),
    "CIFAR100": ((0.16, 0.16, 0.03), (0.31, 0.37, 0.03), (0.14, 0.12, 0.04)),
}
_LEVEL = 0.05  # share of pairings up to which the published one counts as exceptional
_PAIR_TOLERANCE = 0.3  # relative: an exponent that is off by a third predicts no budget
_BIAS_TOLERANCE = 0.05  # absolute: a quarter of the smallest differences between architectures


def pairings(table: Array) -> tuple[Array, Array]:
    """Return chi-square and mean rank correlation of all pairings of predictions and measurements within data sets.

    Parameters
    ----------
    table : ndarray, shape (sets, architectures, 3)
        Predicted and measured exponents, standard errors.

    Returns
    -------
    tuple of ndarray
        One number for each pairing, the published one first.
    """
    orders = list(permutations(range(table.shape[1])))
    measured, errors = table[..., 1], table[..., 2]
    chi2, correlation = [], []
    for chosen in product(orders, repeat=table.shape[0]):
        predicted = np.array(
            [row[list(order), 0] for row, order in zip(table, chosen, strict=True)]
        )
        chi2.append(float(np.sum(((measured - predicted) / errors) ** 2)))
        correlation.append(
            float(
                np.mean(
                    [
                        np.corrcoef(rankdata(p), rankdata(m))[0, 1]
                        for p, m in zip(predicted, measured, strict=True)
                    ]
                )
            )
        )
    return np.array(chi2), np.array(correlation)


@check(
    "perceptron.published-exponents",
    statement="nine published pairs of predicted and measured exponents belong together, and are compatible",
    no_law="printed numbers on both sides: nothing here was derived or computed by this package",
)
def published_exponents(context: Context) -> Iterator[Comparison]:
    """A family of nine; the rival is that there is no relation: predictions are exchanged among architectures of a data set."""
    table = np.array(list(PUBLISHED.values()))
    chi2, correlation = pairings(table)
    names = [f"{data} {kind}" for data in PUBLISHED for kind in ARCHITECTURES]
    pairs = table.reshape(-1, 3)
    count = pairs.shape[0]
    p = float(chdtrc(count, chi2[0]))
    yield Comparison(
        f"{context.check}/pairs",
        Prediction(
            "exponents gamma of nine networks",
            "curve",
            pairs[:, 0],
            SOURCE,
            x=np.arange(1.0, count + 1),
        ),
        Measurement(pairs[:, 1], pairs[:, 2], None, 1, "published", (1.0, float(count))),
        tolerance=_PAIR_TOLERANCE,
        rival=Rival(
            "predictions of the next architecture of the same data set",
            np.roll(table[..., 0], 1, axis=1).ravel(),
        ),
        evidence="literature",
        expect=INCONCLUSIVE,
        expect_reason="published standard errors of a fourth and more do not verify agreement within 30 % for every network",
        notes=(
            f"in order: {', '.join(names)}",
            f"chi-square {chi2[0]:.2f} for {count}, p = {p:.2f}",
        ),
    )
    shares = {
        "chi-square": np.mean(chi2 <= chi2[0] + 1e-9),
        "rank-correlation": np.mean(correlation >= correlation[0] - 1e-9),
    }
    for name, share in shares.items():
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                f"share of pairings within data sets whose {name.replace('-', ' ')} is as good as the published one's",
                "threshold",
                0.0,
                SOURCE,
            ),
            Measurement(
                float(share),
                0.0,
                None,
                1,
                f"all {chi2.size} pairings counted",
                (1.0, float(count)),
                deterministic=True,
            ),
            tolerance=_LEVEL,
            rival=Rival("no relation: half of them, on average", 0.5),
            evidence="literature",
            notes=(
                f"chi-square {chi2[0]:.2f}, {np.mean(chi2):.0f} on average over pairings"
                if name == "chi-square"
                else f"mean rank correlation within data sets {correlation[0]:.3f}",
            ),
        )
    weights = pairs[:, 2] ** -2
    bias = float(weights @ (pairs[:, 1] - pairs[:, 0]) / weights.sum())
    yield Comparison(
        f"{context.check}/bias",
        Prediction("mean of measured less predicted exponents", "exponent", 0.0, SOURCE),
        Measurement(
            bias,
            float(weights.sum() ** -0.5),
            None,
            1,
            "published, weighted by inverse variances",
            (1.0, float(count)),
        ),
        tolerance=_BIAS_TOLERANCE,
        rival=Rival("an exponent at fixed norm as for digits, 0.3, is missing", 0.3),
        evidence="literature",
    )
