r"""
Training to the end, and too far
================================

Test and train loss along gradient flow, with a limited number of features and samples
and with label noise: what limits the loss early, and what limits it late.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# Two limits
# ----------
# With unlimited features and samples the loss is a sum over modes,
# :math:`\sum_k s_k e^{-2\lambda_k t}`: mode k is learned at about
# :math:`t = 1/\lambda_k`, and what is left falls as :math:`t^{-\beta}`. Limited
# features and samples end this at a floor, which ridgeless regression reaches.

import numpy as np
from scalinglaws import solvers, theory

spectrum = solvers.PowerLawSpectrum.from_ab(a=2, b=1.5, size=400)
endless = solvers.PowerLawSpectrum.from_ab(a=2, b=1.5)
sizes = {"features": 60, "samples": 150, "noise_variance": 0.09}

time = [1e2, 1e4, 1e6, 1e8]
free = solvers.linear.gradient_flow(time, endless).test_loss
law = theory.law("linear.time")
values = {"alpha": endless.alpha, "beta": endless.beta}
slopes = -np.diff(np.log(free)) / np.diff(np.log(time))
print("slopes of the free loss:", slopes.round(4), f"law: {float(law(**values)):.4f}")

limit = solvers.linear.gradient_flow(np.inf, spectrum, **sizes)
floor = solvers.linear.ridge(spectrum, **sizes)
print(f"floor of the flow {limit.test_loss:.6f}, ridgeless {floor.test_loss:.6f}")

# %%
# Against simulation
# ------------------
# A direct simulation draws features, samples and noise, and trains. It knows none of
# the solver's formulas.

import matplotlib.pyplot as plt
from scalinglaws.verify import simulate
from scalinglaws.verify.plots.linear import loss_curves

time = np.geomspace(0.1, 1e5, 73)
solution = solvers.linear.gradient_flow(time, spectrum, **sizes)
simulated = simulate.linear.gradient_flow(
    time[::6], spectrum, draws=300, rng=0, **sizes
)
figure = loss_curves(
    solution,
    simulated=simulated,
    at=time[::6],
    figure=plt.figure(figsize=(7, 5.6), layout="constrained"),
)
for name in ("test_loss", "train_loss"):
    mean = getattr(simulated, name).mean(axis=0)
    off = mean / getattr(solution, name)[::6] - 1
    print(f"{name}: simulation / solver - 1 from {off.min():+.3f} to {off.max():+.3f}")

# %%
# The train loss only falls; the test loss has a minimum, after which noise is learned.
# To stop there is worth as much as the best ridge.

best = np.argmin(solution.test_loss)
print(f"best time {time[best]:.0f}: test loss {solution.test_loss[best]:.4f}")
print(f"at the end: test loss {limit.test_loss:.4f}, train {limit.train_loss:.4f}")
ridges = np.geomspace(1e-4, 1, 401)
losses = solvers.linear.ridge(spectrum, ridge=ridges, **sizes).test_loss
print(f"best ridge {ridges[np.argmin(losses)]:.4f}: test loss {losses.min():.4f}")

# %%
# Early and late
# --------------
# Without label noise. Early, all curves agree: time is scarce, and nothing else. Then
# one leaves the free loss for the floor of its features, one for that of its samples.
# With as many features as samples there is no floor: the flow goes on to fit directions
# that hardly vary, and the loss has a minimum even without noise.

time = np.geomspace(1, 1e7, 57)
figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
cases = {
    "unlimited": ({}, "#1b3a5c", "-"),
    "N = 100": ({"features": 100}, "#d1495b", "-"),
    "P = 100": ({"samples": 100}, "#e09f3e", "-"),
    "N = P = 100": ({"features": 100, "samples": 100}, "#5b9bd5", "-"),
}
for name, (limits, color, style) in cases.items():
    losses = solvers.linear.gradient_flow(time, endless, **limits).test_loss
    axis.plot(time, losses, style, color=color, lw=1.8, label=name)
axis.set(xscale="log", yscale="log", xlabel="time t", ylabel="test loss")
axis.legend(frameon=False)
axis.spines[["top", "right"]].set_visible(False)
