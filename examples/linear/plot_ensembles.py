r"""
Where the loss comes from
=========================

Bias and variance of random-feature regression across the interpolation threshold, and
what averaging several predictors buys.
"""

# %%
# One call gives the whole decomposition: variance due to the samples, to the features,
# and to both together.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import solvers

spectrum = solvers.PowerLawSpectrum.from_ab(a=2, b=1.5)
features = np.geomspace(10, 1e5, 241)
solution = solvers.linear.ridge(
    spectrum, features=features, samples=500, ridge=1e-5, noise_variance=0.01
)

pieces = {
    "bias": solution.bias,
    "variance: samples": solution.variance_samples,
    "variance: features": solution.variance_features,
    "variance: both": solution.variance_interaction,
}
colors = ["#1b3a5c", "#4a8c6f", "#e09f3e", "#d1495b"]
figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
axis.stackplot(features, pieces.values(), labels=pieces, colors=colors, alpha=0.85)
for members, style in ((4, "--"), (16, ":")):
    loss = solution.ensemble(members)
    axis.plot(
        features, loss, style, color="black", lw=1, label=f"ensemble of {members}"
    )
axis.set(xscale="log", xlabel="features N", ylabel="test loss")
axis.set(ylim=(0, 0.2), xlim=(10, 1e5))
axis.legend(frameon=False, fontsize=9)
axis.spines[["top", "right"]].set_visible(False)

# %%
# The pieces add up to the loss. An ensemble whose members share the samples removes
# exactly what is due to the features, alone and together with the samples.

print(
    f"sum minus loss: {np.max(np.abs(sum(pieces.values()) - solution.test_loss)):.1e}"
)
middle = features.size // 2
print(f"test loss at N = {features[middle]:.0f}:")
for members in (1, 4, 16, np.inf):
    print(
        f"  average of {members:>3} predictors {solution.ensemble(members)[middle]:.4f}"
    )
