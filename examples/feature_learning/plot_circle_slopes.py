r"""
Networks on the circle
======================

A two-layer network of rectified linear units is not the model of the theory. It learns
a sum of harmonics of an angle; lazily with the exponent of its kernel, and if features
learn, faster, as the theory of the linear model says.
"""

# %%
# Lazy and rich
# -------------
# The same networks with two values of the richness, and the target with source
# :math:`\beta = 1/2`. They have 512 harmonics to learn and 1200 neurons.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import theory
from scalinglaws.solvers.feature_learning import circle_flow
from scalinglaws.verify.plots.feature_learning import circle_slopes
from scalinglaws.verify.simulate import feature_learning as simulate

task = {"target_exponent": 1.0, "samples": 1280, "harmonics": 512}
time = np.geomspace(1, 200, 15)
networks = {
    name: simulate.circle_network(
        time, neurons=1200, richness=richness, draws=2, rng=0, **task
    )
    for name, richness in (
        ("lazy, $\\gamma = 10^{-3}$", 1e-3),
        ("rich, $\\gamma = 4$", 4),
    )
}
figure = circle_slopes(
    time,
    networks,
    figure=plt.figure(figsize=(10.4, 4.2), layout="constrained"),
    **task,
)

# %%
# Slopes
# ------
# A slope belongs to a window of times, to a width and to a number of harmonics: few
# harmonics steepen it in the end, few neurons flatten it. The fair reference for the
# lazy network is the kernel flow on the same samples and harmonics, not the exponent.

flow = circle_flow(
    time, activation_power=1, target_exponent=1.0, harmonics=512, grid=1280
)
window = time >= 60


def slope(loss):
    """Return minus the slope of a line through the logarithms."""
    return -np.polyfit(np.log(time[window]), np.log(loss[window]), 1)[0]


print(f"kernel flow      {slope(flow.train_loss):.3f}")
for name, network in networks.items():
    each = [slope(loss) for loss in network.train_loss]
    print(f"{name[:4]}             {np.mean(each):.3f}, networks {np.round(each, 3)}")
for name in ("linear.time", "feature_learning.time"):
    print(f"{name:22} {float(theory.law(name)(alpha=2, beta=0.5)):.3f}")
