r"""
One function of time
====================

Learning features looks like a change of a million weights. For the loss it is a change
of one number, the scale of the kernel; the rest is the lazy network in another time.
This is exact, for every draw of the network and of its data, at any size.
"""

# %%
# One small network
# -----------------
# A direct simulation draws 18 features and 25 samples, and integrates the equations of
# both layers as they are. It knows of no other time.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import solvers
from scalinglaws.verify.simulate import feature_learning as simulate

spectrum = solvers.PowerLawSpectrum(1.5, 0.5, 100)
sizes = {"features": 18, "samples": 25}
time = np.geomspace(0.1, 1e3, 17)
flows = {
    richness: simulate.gradient_flow(time, spectrum, richness=richness, rng=3, **sizes)
    for richness in (0, 3, 30)
}

# %%
# The reduction
# -------------
# All that it needs of the draw is the kernel at the start: its eigenvalues
# :math:`x_j`, and how much of the target lies along each eigenvector.

kernel = simulate.kernel_spectrum(spectrum, rng=3, **sizes)
print(f"{kernel.eigenvalues.size} eigenvalues, target outside {kernel.floor:.4f}")


def reduced(t, richness):
    """Follow one function of time instead of 1818 weights."""
    return solvers.feature_learning.realization_flow(
        t, kernel.eigenvalues, kernel.powers, richness=richness, floor=kernel.floor
    )


worst = 0
for richness, flow in flows.items():
    found = reduced(time, richness)
    loss = np.abs(flow.train_loss[0] / found.train_loss - 1).max()
    scale = np.abs(flow.kernel_scale[0] / found.scale - 1).max()
    print(f"richness {richness:2}: loss off by {loss:.0e}, scale by {scale:.0e}")

# %%
# The picture
# -----------
# Left: the train loss, the reduction as lines and the simulation as marks. Right: the
# same against the warped time, in which the curves nearly fall on each other. What is
# left of the richness there is that the error remembers how the kernel grew.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(10.4, 4.2), sharey=True, layout="constrained"
)
fine = np.geomspace(0.01, 1e3, 2001)
looks = zip(flows, ("#1b3a5c", "#d1495b", "#e09f3e"), ("o", "s", "^"), strict=True)
for richness, color, mark in looks:
    found = reduced(fine, richness)
    steps = np.diff(fine) * (found.scale[1:] + found.scale[:-1]) / 2
    warped = fine[0] + np.append(0, np.cumsum(steps))
    label = f"richness {richness}" if richness else "lazy"
    points = flows[richness].train_loss[0]
    for axis, line, places in (
        (left, fine, time),
        (right, warped, np.interp(time, fine, warped)),
    ):
        axis.plot(line, found.train_loss, color=color, lw=1.6, label=label)
        axis.plot(places, points, mark, color=color, mfc="white", ms=5)
left.set(xscale="log", yscale="log", xlabel="time t", ylabel="train loss")
left.set_xlim(0.05, 1.5e3)
left.set_ylim(2e-2, 2)
right.set(xscale="log", xlabel=r"warped time $\tau = \int s\,dt$")
right.set_xlim(0.05, 1e4)
left.legend(frameon=False)
for axis in (left, right):
    axis.spines[["top", "right"]].set_visible(False)

# %%
# How near they fall, in infinite networks: the rich loss divided by the lazy one at the
# same warped time.

fine = np.geomspace(1e-3, 1e8, 3001)
for beta in (0.25, 0.5, 0.75, 1.25):
    task = solvers.PowerLawSpectrum(1.5, beta)
    found = solvers.feature_learning.gradient_flow(fine, task, richness=1)
    steps = np.diff(fine) * (found.scale[1:] + found.scale[:-1]) / 2
    warped = fine[0] + np.append(0, np.cumsum(steps))
    slow = solvers.feature_learning.gradient_flow(warped, task, richness=0)
    ratio = found.test_loss / slow.test_loss
    print(f"beta = {beta}: at least {ratio.min():.3f}, in the end {ratio[-1]:.3f}")

# %%
# Many networks
# -------------
# For large networks the kernel's spectrum is that of the average, and the solver needs
# no draw. Here 60 draws of 40 features and 80 samples are compared with it.

large = {"features": 40, "samples": 80}
when = np.array([1.0, 10.0, 100.0])
expected = solvers.feature_learning.gradient_flow(when, spectrum, richness=3, **large)
drawn = simulate.gradient_flow(
    when, spectrum, richness=3, draws=60, tolerance=1e-6, rng=0, **large
)
for name in ("test_loss", "train_loss"):
    draws = getattr(drawn, name)
    mean, error = draws.mean(axis=0), draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    for t, one, bar, value in zip(
        when, mean, error, getattr(expected, name), strict=True
    ):
        print(f"{name} at {t:3.0f}: solver {value:.4f}, draws {one:.4f} +- {bar:.4f}")
