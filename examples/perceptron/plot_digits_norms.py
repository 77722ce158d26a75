r"""
Digits along other norms and optimizers
=======================================

Exponents of networks on images of digits, with intervals from resampled seeds, in a small
version of the check ``perceptron.digits``: does the product of the two exponents along a
norm predict the third, or does it need the exponent at fixed norm?
"""

# sphinx_gallery_thumbnail_number = 3

# %%
# SGD against Adam
# ----------------

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.solvers.perceptron import spectral_complexity
from scalinglaws.verify.estimate import norm_exponents
from scalinglaws.verify.plots.perceptron import exponent_bars
from scalinglaws.verify.simulate.perceptron import digits_curves

NORMS = ("complexity", "spectral", "group", "l1", "l2")


def observe(weights):
    """Return every norm of a network."""
    return [spectral_complexity(weights, norm=norm).value for norm in NORMS]


def train(last=1000, **settings):
    """Train five seeds at four numbers of samples."""
    steps = np.unique(np.geomspace(1, last, 30).round())
    return digits_curves(
        steps, [40, 120, 360, 1080], seeds=5, observe=observe, **settings
    )


def exponents(curves, which=0):
    """Measure exponents along one of the norms, and print them."""
    found = norm_exponents(curves.samples, curves.observed[which], curves.error)
    for name in ("product", "total", "measured"):
        low, high = found.interval(name)
        value = getattr(found, name)
        print(f"  {name:8} {value:.2f}, 95 % from {low:.2f} to {high:.2f}")
    for name, error in found.difference_errors.items():
        value = found.measured - getattr(found, name)
        print(f"  measured less {name}: {value:.2f} +- {error:.2f}")
    return found


def figure(rows):
    """Return an empty figure for so many rows."""
    return plt.figure(figsize=(7, 1.4 + 0.6 * rows), layout="constrained")


adam = train(scale=0.1, learning_rate=3e-3)
sgd = train(2000, scale=0.5, optimizer="sgd", learning_rate=0.5, batch=32)
found = {}
for name, curves in (("Adam", adam), ("SGD", sgd)):
    print(name)
    found[name] = exponents(curves)
shown = exponent_bars(found, figure=figure(2))

# %%
# The product of the exponents is below the measured one with either, by several errors of
# the difference, whose parts are correlated; the sum is within three.
#
# Weight decay
# ------------

decayed = train(scale=0.1, learning_rate=3e-3, weight_decay=0.1)
print("weight decay 0.1")
found = {"none": found["Adam"], "0.1": exponents(decayed)}
shown = exponent_bars(found, figure=figure(2))

# %%
# It changes little.
#
# Other norms
# -----------
# Spectral complexity, product of spectral norms, sum of row lengths, sum of sizes, Euclidean
# norm. No product of exponents is the measured one; the sum with the exponent at fixed norm
# comes near it along each, so that it does not tell norms apart.

found = {}
for which, name in enumerate(NORMS):
    print(name)
    found[name] = exponents(adam, which)
shown = exponent_bars(found, figure=figure(len(NORMS)))
