r"""
Early stopping and weight decay
===============================

With noisy labels training should end early, or shrink: how much, and which of the two is better.
"""

# %%
# Decay ends training at ridge regression
# ---------------------------------------
# Weight decay r averages early-stopped training over times up to :math:`1/r`. The limit is the
# ridge fit with the same r.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import solvers, theory

task = solvers.PowerLawSpectrum.from_ab(a=2, b=1.5, size=400)
sizes = {"features": 60, "samples": 150, "noise_variance": 0.09}
t = np.append(np.geomspace(1, 1e5, 60), np.inf)
runs = {}
for decay in (0.0, 1e-3, 1e-2, 1e-1):
    runs[f"r = {decay:g}"] = solvers.linear.gradient_flow(
        t, task, weight_decay=decay, **sizes
    )
for name, run in runs.items():
    print(
        f"{name:10s} least loss {run.test_loss.min():.5f}, in the end {run.test_loss[-1]:.5f}"
    )

from scalinglaws.verify.plots.linear import best_losses, loss_curves

loss_curves(runs, figure=plt.figure(figsize=(9.6, 6.0), layout="constrained"))

# %%
# Which is better
# ---------------
# Both fall with the same exponent, until the bias of ridge saturates; stopping never does.

law = theory.law("linear.early_stopping")
for a in (1.5, 2, 3.25):
    ratio = law.evaluate("ratio", alpha=1.5, beta=(a - 1) / 1.5)
    print(f"a = {a:4.2f}: stopping / ridge = {ratio:.4f}")

best_losses(
    solvers.PowerLawSpectrum.from_ab(a=6, b=1.5),
    np.geomspace(1e3, 1e9, 13),
    figure=plt.figure(figsize=(9.6, 4.2), layout="constrained"),
)

best_losses(
    solvers.PowerLawSpectrum.from_ab(a=2, b=1.5),
    np.geomspace(1e3, 1e9, 13),
    figure=plt.figure(figsize=(9.6, 4.2), layout="constrained"),
)
