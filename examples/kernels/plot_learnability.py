r"""
Which modes are learned
=======================

One number, the renormalized ridge, tells learned modes from unlearned ones. And the
other way round: how many samples, features or how much time a loss takes.
"""

# %%
# The renormalized ridge
# ----------------------
# With P samples and no explicit ridge, modes with :math:`\lambda_k > \kappa` are
# learned, and they are as many as there are samples: the degrees of freedom
# :math:`\mathrm{df}_1 = \sum_k \lambda_k / (\lambda_k + \kappa)` equal P.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import solvers

spectrum = solvers.PowerLawSpectrum(1.5, 1)
print("samples   kappa       df1      df2")
for samples in (10, 100, 1000):
    kappa = solvers.linear.effective_ridge(spectrum, samples=samples)
    df = solvers.linear.degrees_of_freedom(kappa, spectrum)
    print(f"{samples:7d}   {kappa:.3e}  {df.df1:7.1f}  {df.df2:7.1f}")

# %%
# How much of each mode is learned: a step that is rounded by the power law. Half of
# the mode with :math:`\lambda_k = \kappa` is learned (dots). A ridge moves the step
# to the left. Without one, the smaller of N and P decides alone: 1000 samples with 100
# features learn the modes that 100 samples learn (dotted on red).

k = np.unique(np.geomspace(1, 1e5, 200).round())
cases = {
    "P = 10": ({"samples": 10}, "#5b9bd5", "-"),
    "P = 100": ({"samples": 100}, "#d1495b", "-"),
    "P = 1000": ({"samples": 1000}, "#1b3a5c", "-"),
    "P = 1000, ridge 0.01": ({"samples": 1000, "ridge": 0.01}, "#1b3a5c", "--"),
    "P = 1000, N = 100": ({"samples": 1000, "features": 100}, "#1b3a5c", ":"),
}
figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
for name, (limits, color, style) in cases.items():
    learned = solvers.linear.learnability(k, spectrum, **limits)
    kappa = solvers.linear.effective_ridge(spectrum, **limits)
    axis.plot(k, learned, style, color=color, lw=1.8, label=name)
    axis.plot(kappa ** (-1 / spectrum.alpha), 0.5, "o", color=color, ms=5)
axis.plot(
    [], [], "o", color="#555555", ms=5, label=r"half learned: $\lambda_k = \kappa$"
)
axis.set(xscale="log", xlabel="mode k", ylabel="fraction learned", ylim=(0, 1.02))
axis.legend(frameon=False, fontsize=9)
axis.spines[["top", "right"]].set_visible(False)

# %%
# What does a loss cost
# ---------------------
# Each resource alone, the others unlimited:

levels = np.geomspace(1e-1, 1e-5, 5)
time = solvers.linear.time_for_loss(levels, spectrum)
samples = solvers.linear.samples_for_loss(levels, spectrum)
features = solvers.linear.features_for_loss(levels, spectrum)
print("loss      time        samples     features")
for row in zip(levels, time, samples, features, strict=True):
    print("{:.0e}   {:.3e}   {:.3e}   {:.3e}".format(*row))

# %%
# Resources replace each other only up to a point: with too few features a loss is out
# of reach, however many samples there are. The refusal says what would be enough.

for n in (1e4, 1e3, 300):
    try:
        p = solvers.linear.samples_for_loss(1e-3, spectrum, features=n)
        print(f"N = {n:5.0f}: P = {p:.4g} samples reach a loss of 1e-3")
    except ValueError as refusal:
        print(f"N = {n:5.0f}: {refusal}")
