r"""
Kernels that adapt
==================

A wide but finite network adapts its kernel to the data: the weights of its neurons turn
towards the target, which then costs fewer samples. The law of the weights, what it buys a
convolutional network, and which layer of a sampled network does it.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# The law of a weight
# -------------------
# The mean-field equations of two layers have one solution at every ridge. As the ridge per
# sample falls, two modes are born continuously, and far ones appear at once. The key says
# how many of a thousand neurons are out there.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.solvers.kernel_adaptation import linear_cnn, two_layer
from scalinglaws.verify.estimate import learnability_ladder
from scalinglaws.verify.plots.kernel_adaptation import (
    layer_histograms,
    learnability_collapse,
    learnability_curves,
    weight_marginal,
)
from scalinglaws.verify.simulate.kernel_adaptation import (
    convolutional_point,
    sample_deep,
    stratified_polynomial,
)

WIDE = {"dimension": 100, "width": 1000, "scale": 1000, "perpendicular": "concentrated"}
solutions = [
    two_layer([1, 0.2449], ridge_per_sample=ridge, **WIDE)
    for ridge in (0.1, 0.003, 0.001)
]
figure = weight_marginal(
    solutions, figure=plt.figure(figsize=(7.6, 4.4), layout="constrained")
)

# %%
# What adaptation buys
# --------------------
# One filter on patches: lazy filters need samples in proportion to the dimension, filters
# that adapt as its power 3/4.

curves = [
    linear_cnn(
        samples=np.geomspace(10, 30_000, 60),
        ridge=1,
        scale=100,
        channels=1000 * size,
        patches=10 * size,
        patch_size=50 * size,
    )
    for size in (1, 4)
]
figure = learnability_curves(
    curves, figure=plt.figure(figsize=(7.6, 4.4), layout="constrained")
)

# %%
# Measured
# --------
# Small networks, sampled from their exact posterior: learnability against P over the power
# of the dimension that the law names. Points whose chains disagree would be listed.


def point(samples, *, dimension, rng):
    """Measure networks of patches as many as filters are long, and a hundred channels."""
    side = round(dimension**0.5)
    return convolutional_point(
        samples,
        patches=side,
        patch_size=side,
        channels=25 * side,
        ridge=1,
        scale=25,
        datasets=4,
        chains=2,
        draws=100,
        warmup=150,
        rng=rng,
    )


ladder = learnability_ladder(
    point, [16, 36, 64], [[16, 32, 64], [29, 59, 118], [45, 90, 180]], rng=0
)
figure = learnability_collapse(
    ladder, 0.75, figure=plt.figure(figsize=(7.6, 4.4), layout="constrained")
)
for found in ladder.points:
    print(
        f"d = {found.dimension}, P = {found.samples}: {found.mean:.2f} +- {found.error:.2f}, "
        f"lazy {found.lazy.mean():.2f}"
    )

# %%
# Which layer
# -----------
# Three layers on a cubic target: the linear component that a specialized neuron carries,
# although the target has none, in the posterior and in the prior.

x, y = stratified_polynomial(600, dimension=8, rng=1)
settings = {"neurons": (8, 8), "ridge": 1, "chains": 2, "draws": 100, "rng": 2}
figure = layer_histograms(
    sample_deep(x, y, warmup=100, on_failure="return", **settings),
    sample_deep(np.empty((0, 8)), [], warmup=100, **settings),
    figure=plt.figure(figsize=(7.6, 3.6), layout="constrained"),
)
plt.show()
