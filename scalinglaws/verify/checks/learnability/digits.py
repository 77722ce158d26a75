"""What regression learns of images of digits, against the effective ridge of the kernel's spectrum on all of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....solvers import learnability as solve
from ....solvers.spectra import EmpiricalSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from ...simulate.learnability import digits_kernel, regress_population
from .._measured import mean_over

RIDGE = 0.01
# a finite population of 1797 images, of which each data set holds up to a sixth, is not the Gaussian features of the theory: 2 % of
# learnability and 10 % of the loss, besides three standard errors of 400, 200 and 100 data sets
SAMPLES = (30, 100, 300)
_BIAS = {"learnability": 0.02, "loss": 0.1}
_ERRORS = {"learnability": (0.0039, 0.0026, 0.0016), "loss": (0.0065, 0.0028, 0.0011)}


@check(
    "learnability.digits",
    statement="regression on digits learns what the effective ridge of its kernel says, from thirty images on",
    no_law="a spectrum as it is found, no power of anything",
    effort="full",
    compiles=3.0,
)
def regressed_digits(context: Context) -> Iterator[Comparison]:
    """Exact regression on random images, the error over all 1797; every replicate is a data set."""
    gram, target = digits_kernel()
    spectrum = EmpiricalSpectrum.from_gram(gram, target)
    curve = solve.learning_curve(spectrum, samples=SAMPLES, ridge=RIDGE)
    # the ridge as it is given, without what modes that are not learned add to it, and without the fluctuation of data sets
    eigenvalues, signal = np.asarray(spectrum.eigenvalues), np.asarray(spectrum.signal)
    left = [RIDGE / (RIDGE + samples * eigenvalues) for samples in SAMPLES]
    naive = {
        "learnability": [1 - float(each @ signal) / float(signal.sum()) for each in left],
        "loss": [float(each**2 @ signal) for each in left],
    }
    for i, samples in enumerate(SAMPLES):
        draws = context.pick(quick=(400, 300, 200)[i], full=2000)
        found = regress_population(
            gram,
            target,
            samples,
            ridge=RIDGE,
            draws=draws,
            rng=context.generator(f"{samples}", 0),
        )
        method = f"exact regression on {samples} images drawn with replacement, ridge {RIDGE:g}"
        for name, told, predicted, rows in (
            ("learnability", "learnability of the target", curve.learnability, found.learnability),
            (
                "loss",
                "mean squared error over the target's variance",
                curve.test_loss,
                found.test_loss,
            ),
        ):
            value = float(np.asarray(predicted)[i])
            yield Comparison(
                f"{context.check}/{name}-{samples}",
                Prediction(told, "threshold", value, "solvers.learnability.learning_curve"),
                mean_over(rows, method, samples),
                tolerance=_BIAS[name] * value + 3 * _ERRORS[name][i],
                rival=Rival("the ridge as it is given", naive[name][i]),
            )
