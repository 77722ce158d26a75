r"""
Learning curves from implicit bias
==================================

A perceptron that is trained without constraint passes near the minimizers of its training
loss at a fixed norm, and the norm grows. The error falls as a power of the norm up to an
elbow, which moves with the data: two laws that combine to the third, the learning curve.
"""

# %%
# Error against the norm
# ----------------------
# Lines are the replica solution, points are perceptrons fitted by L-BFGS. The dashed power
# law ends at the elbow, where it would reach the least error.

import matplotlib.pyplot as plt
from scalinglaws import theory
from scalinglaws.solvers import perceptron
from scalinglaws.verify.estimate import norm_exponents
from scalinglaws.verify.plots.perceptron import (
    best_norm,
    collapse,
    complexity_curves,
    error_curves,
    margin_histogram,
)
from scalinglaws.verify.simulate.perceptron import digits_curves, fixed_norm

simulated = {
    1: fixed_norm([0.1, 1, 5, 20], alpha=1, inputs=150, draws=8),
    10: fixed_norm([0.1, 1, 5, 20], alpha=10, inputs=100, draws=8),
}
figure = error_curves(
    [1, 10, 100, 1e3, 1e4],
    simulated=simulated,
    figure=plt.figure(figsize=(7.6, 5), layout="constrained"),
)

# %%
# One curve
# ---------
# In units of the best norm and of the least error, curves at many samples are one.

figure = collapse(
    simulated=simulated, figure=plt.figure(figsize=(7, 5.6), layout="constrained")
)

# %%
# The best norm
# -------------

figure = best_norm(figure=plt.figure(figsize=(9.6, 4), layout="constrained"))
best = perceptron.optimal_norm([10, 100, 1000])
for alpha, norm, error in zip(best.alpha, best.norm, best.error, strict=True):
    bayes = perceptron.bayes(alpha).error
    print(
        f"alpha = {alpha:4.0f}: best norm {norm:.3f}, error {error / bayes:.6f} Bayes"
    )
print("combined:", theory.law("perceptron.combined").in_notation("absolute")())

# %%
# Margins
# -------
# Training examples pile up at the margin of maximum stability as the norm grows.

figure = margin_histogram(
    fixed_norm([0.5, 2, 8, 30], alpha=8, margins=True, draws=6),
    alpha=8,
    figure=plt.figure(figsize=(7, 4.2), layout="constrained"),
)

# %%
# A network
# ---------
# Images of digits, one hidden layer, and the spectral complexity in place of the norm: a small
# part of the check ``perceptron.digits``.

steps = sorted({round(10 ** (k / 10)) for k in range(31)})
curves = digits_curves(
    steps,
    [40, 160, 640],
    seeds=3,
    observe=lambda weights: perceptron.spectral_complexity(weights).complexity,
    scale=0.1,
    learning_rate=3e-3,
)
found = norm_exponents(curves.samples, curves.observed[0], curves.error)
for name in ("gamma0", "gamma1", "gamma2", "product", "total", "measured"):
    print(f"{name:8} {getattr(found, name):.2f} +- {found.standard_errors[name]:.2f}")
figure = complexity_curves(
    curves, found, figure=plt.figure(figsize=(10.4, 4.4), layout="constrained")
)
