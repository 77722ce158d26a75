r"""
Steps instead of a flow
=======================

With finite steps and fresh batches there is noise, and the flow's shortcut is gone. The
mean-field theory is exact for large networks, and needs one pass over the steps.
"""

# %%
# The theory
# ----------
# A hundred features, batches of 25, 200 modes, of which small ones are merged: the cost
# depends on the number of steps.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import solvers
from scalinglaws.solvers.feature_learning import online_dmft, reuse_dmft
from scalinglaws.verify.plots.feature_learning import dmft_curves
from scalinglaws.verify.simulate import feature_learning as simulate

task = solvers.PowerLawSpectrum(1.5, 0.75, 200)
online = {"features": 100, "batch": 25, "learning_rate": 0.2}
solved = {
    name: online_dmft(200, task, richness=richness, **online)
    for name, richness in (("lazy", 0), ("rich", 1))
}
for name, run in solved.items():
    print(f"{name}: loss {run.test_loss[-1]:.4f}, scale {run.scale[-1]:.3f}")

# %%
# On the simulation
# -----------------
# The simulation draws a network and its batches, takes the steps, and knows no theory.
# Shades hold 80 % of the draws; single networks scatter by a fifth, their mean does
# not.

at = np.unique(np.geomspace(1, 200, 12).round().astype(int))
drawn = {
    name: simulate.online_sgd(at, task, richness=richness, draws=40, rng=1, **online)
    for name, richness in (("lazy", 0), ("rich", 1))
}
for name, run in drawn.items():
    ratio = run.test_loss / solved[name].test_loss[at]
    error = ratio.std(axis=0, ddof=1) / np.sqrt(len(ratio))
    off = ratio.mean(axis=0) - 1
    print(f"{name}: rms deviation {np.sqrt(np.mean(off**2)):.1%},", end=" ")
    print(f"standard errors up to {error.max():.1%}")

wide = {"figsize": (10.4, 5.6), "layout": "constrained"}
figure = dmft_curves(solved, simulated=drawn, at=at, figure=plt.figure(**wide))

# %%
# The same samples again
# ----------------------
# With 60 samples that are used in every step the train loss falls below the test loss,
# and the test loss of the rich network rises again: its labels have noise.

reuse = {"features": 100, "samples": 60, "learning_rate": 0.2, "noise_variance": 0.1}
solved = {
    name: reuse_dmft(200, task, richness=richness, **reuse)
    for name, richness in (("lazy", 0), ("rich", 1))
}
drawn = {
    name: simulate.gradient_descent(
        at, task, richness=richness, draws=40, rng=2, **reuse
    )
    for name, richness in (("lazy", 0), ("rich", 1))
}
for name, run in solved.items():
    best = run.test_loss.argmin()
    print(f"{name}: test loss {run.test_loss[best]:.4f} at step {best}", end=", ")
    print(f"{run.test_loss[-1]:.4f} at step 200; train loss {run.train_loss[-1]:.4f}")
figure = dmft_curves(solved, simulated=drawn, at=at, figure=plt.figure(**wide))

# %%
# Larger networks
# ---------------
# What is left of the deviations is the size of the network. Replacing every mode by R
# copies, with R times the features and samples, leaves the theory as it is.

small = solvers.PowerLawSpectrum(1.5, 0.75, 40)
given = {"learning_rate": 0.25, "richness": 2}
expected = online_dmft(59, small, features=20, batch=10, **given).test_loss[59]
for copies, draws in ((1, 800), (2, 400), (4, 200), (8, 100)):
    sizes = {"features": 20 * copies, "batch": 10 * copies, "replicas": copies}
    losses = simulate.online_sgd(59, small, draws=draws, rng=3, **sizes, **given)
    ratio = expected / losses.test_loss.mean() - 1
    error = losses.test_loss.std(ddof=1) / losses.test_loss.mean() / np.sqrt(draws)
    print(f"R = {copies}: theory / simulation - 1 = {ratio:+.3f} +- {error:.3f}")
