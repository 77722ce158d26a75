r"""
Renormalizing a Gaussian process
================================

Modes of a kernel that are integrated out leave a ridge behind for a squared loss, and a
smoother likelihood for any other. Where the couplings flow, and what becomes of a
quartic loss.
"""

# %%
# Three flows
# -----------
# Couplings of one datum end in a ridge that is made of integrated modes. Couplings of an
# integral over the measure run away, to the massive point (1, 0), and know no other end
# for eigenfunctions in general. Only where momentum is conserved there is a third point.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.renormalization import (
    convolved_likelihood,
    ridge_flow,
    truncated_flow,
)
from scalinglaws.verify.plots.renormalization import flow_diagram

for convention, momentum in (
    ("per_datum", "generic"),
    ("measure", "generic"),
    ("measure", "conserving"),
):
    flow_diagram(
        0.5,
        convention=convention,
        momentum=momentum,
        figure=plt.figure(figsize=(6.8, 4.8), layout="constrained"),
    )

# %%
# A quartic loss becomes a squared one
# ------------------------------------
# The potential of one datum, :math:`\Delta^2/2 + \Delta^4/5`, while modes of more and more
# variance are integrated out; in units of its curvature at zero it tends to a parabola.

variances = [0.05, 0.3, 2.0, 10.0]
found = convolved_likelihood([0.5, 0.2], variance=variances)
residual = np.linspace(-4, 4, 301)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
shades = plt.colormaps["viridis"](np.linspace(0.1, 0.85, len(variances)))
potentials = found.potential(residual[:, None])
for s, r, potential, color in zip(
    variances, found.quadratic, potentials.T, shades, strict=True
):
    scaled = residual * np.sqrt(r)
    left.plot(scaled, potential - potential[150], color=color, label=f"s = {s:g}")
left.plot(residual, residual**2, ":", color="#555555", label="squared loss")
left.set(
    xlim=(-1.6, 1.6),
    ylim=(0, 3),
    xlabel=r"residual $\Delta\,\sqrt{r}$",
    ylabel=r"potential $V(\Delta) - V(0)$",
)
left.legend(frameon=False, fontsize=9)

# %%
# The truncated tower of couplings knows this only while little is integrated out.

s = np.geomspace(1e-2, 10, 80)
exact = convolved_likelihood([0.5, 0.2], variance=s)
for order, style in ((2, "--"), (4, ":")):
    cut = truncated_flow([0.5, 0.2], variance=s, order=order)
    right.plot(s, cut.quartic, style, color="#d1495b", label=f"cut at order {order}")
right.plot(s, exact.quartic, color="#1b3a5c", label="convolution")
right.set(
    xscale="log",
    yscale="log",
    ylim=(1e-7, 1),
    xlabel="variance s",
    ylabel="quartic coupling u",
)
right.legend(frameon=False, fontsize=9)
for axis in (left, right):
    axis.spines[["top", "right"]].set_visible(False)

# %%
# The ridge that flows
# --------------------
# With :math:`\lambda_k = k^{-2}`, 60 samples and the ridge 0.05. Modes that are learned
# make no noise: the naive sum is wrong from there on.

cutoff = np.unique(np.geomspace(1, 3000, 60).round())
flow = ridge_flow(PowerLawSpectrum(2, 0.5), samples=60, ridge=0.05, cutoff=cutoff)
print(f"effective ridge {flow.kappa[0]:.4f}")
print("modes kept    flow   naive")
for i in (4, 14, 24, 34):
    print(f"{cutoff[i]:10.0f}  {flow.ridge[i]:.4f}  {flow.naive_ridge[i]:.4f}")
figure, axis = plt.subplots(figsize=(6.6, 4), layout="constrained")
axis.plot(
    cutoff, flow.naive_ridge, "--", color="#d1495b", label="all later modes as noise"
)
axis.plot(cutoff, flow.ridge, color="#1b3a5c", label="flow")
axis.axhline(flow.kappa[0], color="#555555", lw=0.8, ls=":", label="effective ridge")
axis.set(
    xscale="log",
    yscale="log",
    xlabel=r"modes kept $\Lambda$",
    ylabel=r"ridge $\sigma^2_\Lambda$",
)
axis.legend(frameon=False, fontsize=9)
axis.spines[["top", "right"]].set_visible(False)
