r"""
Where the loss comes from
=========================

Bias and variance of random-feature regression across the interpolation threshold, and what averaging several
predictors buys.
"""

# %%
# One call gives the whole decomposition: variance due to the samples, to the features, and to both together.

import matplotlib.pyplot as plt
import numpy as np

from scalinglaws import solvers

spectrum = solvers.PowerLawSpectrum.from_ab(a=2, b=1.5)
features = np.geomspace(10, 1e5, 241)
solution = solvers.linear.ridge(spectrum, features=features, samples=500, ridge=1e-5, noise_variance=0.01)

figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
pieces = {
    "bias": (solution.bias, "#1b3a5c"),
    "variance: samples": (solution.variance_samples, "#4a8c6f"),
    "variance: features": (solution.variance_features, "#e09f3e"),
    "variance: both": (solution.variance_interaction, "#d1495b"),
}
axis.stackplot(
    features, [piece for piece, _ in pieces.values()], labels=list(pieces), colors=[color for _, color in pieces.values()], alpha=0.85
)
for members in (4, 16):
    axis.plot(features, solution.ensemble(members), color="black", lw=1, ls="--" if members == 4 else ":", label=f"ensemble of {members}")
axis.set(xscale="log", xlabel="features N", ylabel="test loss", ylim=(0, 0.2), xlim=(10, 1e5))
axis.legend(frameon=False, fontsize=9)
axis.spines[["top", "right"]].set_visible(False)

# %%
# The pieces add up to the loss, and an ensemble over features removes exactly the part due to features alone and to both.

print(f"largest mismatch of the sum: {np.max(np.abs(sum(piece for piece, _ in pieces.values()) - solution.test_loss)):.1e}")
print(f"at N = {features[120]:.0f}: one predictor {solution.test_loss[120]:.4f}, infinitely many {solution.ensemble(np.inf)[120]:.4f}")
