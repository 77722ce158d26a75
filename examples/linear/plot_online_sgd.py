r"""
One pass over the data
======================

Stochastic gradient descent with fresh samples at every step: what the noise of the
gradients costs, and how large a step may be.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# Stability
# ---------
# Gradient noise feeds on the loss. One unit of loss causes :math:`\hat K(1)` units
# later, and training is stable while this is below one. Larger batches allow larger
# steps, up to the bound of full-batch descent.

import numpy as np
from scalinglaws import solvers

spectrum = solvers.PowerLawSpectrum.from_ab(a=2, b=1.5, size=400)
batches = [1, 4, 16, 64, np.inf]
found = solvers.linear.sgd_stability(
    spectrum, features=60, batch=batches, learning_rate=0.1
)
print("batch   kernel norm   largest stable learning rate")
for row in zip(batches, found.kernel_norm, found.max_learning_rate, strict=True):
    print("{:5g}   {:11.4f}   {:.4f}".format(*row))

# %%
# Batch size
# ----------
# Noise slows training down a little, and ends it at a floor (dotted),
# :math:`(L_N + \hat K(1) \sigma^2) / (1 - \hat K(1))`: the best loss
# :math:`L_N` of N features, and the noise on top. With a batch of one, a mean over runs
# is at the mercy of a few bad ones; the error bars tell where.

import matplotlib.pyplot as plt
from scalinglaws.verify import simulate
from scalinglaws.verify.plots.linear import loss_curves

steps = np.append(np.unique(np.geomspace(1, 3000, 60).round()), np.inf)
at = steps[:-1:5]
solutions, simulations = {}, {}
for batch in (1, 4, 64):
    training = {"features": 60, "batch": batch, "learning_rate": 0.2}
    training["noise_variance"] = 0.1
    name = f"batch B = {batch}"
    solutions[name] = solvers.linear.online_sgd(steps, spectrum, **training)
    simulations[name] = simulate.linear.online_sgd(
        at.astype(int),
        spectrum,
        draws={1: 400, 4: 200, 64: 40}[batch],
        rng=0,
        **training,
    )
figure = loss_curves(
    solutions,
    simulated=simulations,
    at=at,
    tolerance=0.1,
    figure=plt.figure(figsize=(7, 5.6), layout="constrained"),
)
best = solvers.linear.ridge(spectrum, features=60).test_loss
print(f"best loss of 60 features: {best:.4f}; floors of training:")
for name, solution in solutions.items():
    off = simulations[name].test_loss.mean(axis=0) / solution.test_loss[:-1:5] - 1
    print(
        f"  {name}: {solution.test_loss[-1]:.4f}, "
        f"simulation / solver - 1 from {off.min():+.3f} to {off.max():+.3f}"
    )

# %%
# Samples, not steps
# ------------------
# A large batch takes more samples per step. At the same number of samples the small
# batch is ahead, until its noise floor.

samples = np.geomspace(100, 1e6, 41)
figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
for batch, color in ((1, "#1b3a5c"), (4, "#d1495b"), (64, "#e09f3e")):
    losses = solvers.linear.online_sgd(
        samples / batch,
        spectrum,
        features=60,
        batch=batch,
        learning_rate=0.2,
        noise_variance=0.1,
    ).test_loss
    axis.plot(samples, losses, color=color, lw=1.8, label=f"batch B = {batch}")
axis.set(xscale="log", yscale="log", xlabel="samples seen", ylabel="test loss")
axis.legend(frameon=False)
axis.spines[["top", "right"]].set_visible(False)
