r"""
Events that never happen
========================

Whether a random network is aligned with its target is a rare event. Its simplest model
is a sum of cubes of Gaussian numbers. How rare is a large sum, and how does it come
about?
"""

# %%
# Plain Monte Carlo
# -----------------
# Draw ten numbers, add their cubes, repeat a million times. Beyond ten standard
# deviations hardly anything is left to count.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.solvers.patterns import TRANSITION, cube_rate, log_tail

rng = np.random.default_rng(0)
draws = 1_000_000
sums = np.zeros(draws)
for _ in range(10):
    sums += rng.standard_normal(draws) ** 3 / np.sqrt(150)

thresholds = np.array([1.0, 3.0, 10.0, 15.0, 30.0])
counted = [int(np.sum(sums > s)) for s in thresholds]

# %%
# Importance sampling
# -------------------
# Twenty thousand draws from a law under which the event is common, weighted back. The
# last column is how many draws plain Monte Carlo would need for the same error.

sampled = log_tail(10, thresholds, "importance", rng=1)
print("    s      counted      sampled   rel. error   draws needed")
for s, count, log_p, error in zip(
    thresholds, counted, sampled.log_probability, sampled.standard_error, strict=True
):
    p = np.exp(log_p)
    row = f"{s:5.0f} {count / draws:12.2e} {p:12.2e} {error:12.4f}"
    print(f"{row} {(1 - p) / p / error**2:14.1e}")

# %%
# Two ways to be large
# --------------------
# Small excesses are shared by all terms. From a threshold on a single term carries half
# of the excess or more: a transition of first order. A sampler that tilts all terms
# alike does not know of it, and where it still reports a number, its own error bar does
# not tell that it is far off; only the probability of a single jump does, hence the
# warning.

print(f"transition at {TRANSITION:.6f}; jump there {cube_rate(TRANSITION).jump:.6f}")

import warnings

from scalinglaws.errors import AccuracyWarning
from scalinglaws.verify.plots.patterns import tail_curves

tails = []
for n, seed in ((10, 2), (100, 3)):
    s = np.geomspace(1.5, 42, 11)
    tails.append(log_tail(n, s, "importance", rng=seed))
    with warnings.catch_warnings():  # that one tilt misses the event is what is shown
        warnings.simplefilter("ignore", AccuracyWarning)
        tails.append(log_tail(n, s[::2], "tilt", rng=seed))
figure = tail_curves(
    tails, figure=plt.figure(figsize=(10.6, 4.6), layout="constrained")
)

# %%
# A reference without random numbers
# ----------------------------------
# The law of one term on a lattice, tilted, convolved a hundred times by Fourier
# transform: probabilities down to 1e-50.

exact = log_tail(100, 42).log_probability
again = log_tail(100, 42, "importance", rng=4)
print(f"P(A_100 > 42) = 10^{exact / np.log(10):.4f}")
off = (again.log_probability - exact) / again.standard_error
print(f"importance sampling is off by {off:+.2f} standard errors")
