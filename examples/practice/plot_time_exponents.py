r"""
Time exponents of your own task
===============================

A lazy network learns as :math:`t^{-\beta}`, a rich one as
:math:`t^{-2\beta/(1+\beta)}` while :math:`\beta < 1`: both follow from the features alone.
Here the features are images of digits, and what is learned is whether a digit is odd.
With features, labels and losses of your own, only the first block changes.
"""

# %%
# Features and losses
# -------------------
# Two layers of 128 ReLU neurons, trained on all images at once. Losses of training are
# then limited by time alone: not by the number of images, nor, long before zero, by the
# number of neurons. How rich the training is, is set by the scale of the output: at a
# large scale small changes of the weights fit the labels, and features stay as they were.

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scalinglaws.verify import empirical
from sklearn.datasets import load_digits

Array = NDArray[np.float64]
digits = load_digits()
features = digits.data - digits.data.mean(axis=0)
features /= np.sqrt(np.mean(features**2))
labels = digits.target % 2 - np.mean(digits.target % 2)
labels /= np.std(labels)
STEPS, RATE, WIDTH = 240, 0.5, 128


def train(output_scale: float, seed: int) -> Array:
    """Return the loss before each step of gradient descent on both layers."""
    rng, half = np.random.default_rng(seed), WIDTH // 2
    inputs = features / np.sqrt(features.shape[1])
    first = np.tile(rng.standard_normal((inputs.shape[1], half)), 2)
    last = np.concatenate(
        [draw := rng.standard_normal(half), -draw]
    )  # output 0 at first
    scale, losses = output_scale * np.sqrt(2 / WIDTH), []
    for _ in range(STEPS):
        fields = inputs @ first
        hidden = np.maximum(fields, 0)
        error = labels - scale * hidden @ last
        losses.append(float(np.mean(error**2)))
        kick = RATE * scale / output_scale**2 * error / error.size
        step = hidden.T @ kick
        first += inputs.T @ (np.outer(kick, last) * (fields > 0))
        last += step
    return np.array(losses)


runs = {
    kind: [train(output_scale, seed) for seed in range(3)]
    for kind, output_scale in (("lazy", 30.0), ("rich", 0.1))
}

# %%
# What the features say
# ---------------------
# The kernel of the network at the start, on all images, has eigenvalues and a target:
# their exponents are measured, and the laws of time follow. The verdict belongs to them:
# these spectra are no power law over their whole window, so take the second digit of an
# exponent for what it is.

task = empirical.measure(kernel="relu_ntk", inputs=features, labels=labels)
predicted = {entry.quantity: entry for entry in task.predict().exponents}
for name, found in (("capacity", task.capacity), ("source", task.source)):
    low, high = found.interval
    print(f"{name}: {found.value:.2f} ({low:.2f} to {high:.2f}), {task.verdict[name]}")

# %%
# Predicted against observed
# --------------------------
# Local exponents, from slopes over half a decade on either side, with errors from leaving
# out one network. Each kind stays near its own law (bands: intervals of the prediction),
# and far from the other's. At the end the lazy networks fall behind theirs: at this
# output scale their kernel is the one of 128 random neurons, and no more.

time = RATE * np.arange(1.0, STEPS + 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
for (kind, losses), color in zip(runs.items(), ("#5b9bd5", "#d1495b"), strict=True):
    law = predicted[f"time, {kind}"]
    observed = empirical.local_slopes(
        np.tile(time, len(losses)),
        np.concatenate(losses),
        run=np.repeat(np.arange(len(losses)), STEPS),
        half_width=0.5,
        at=np.geomspace(4, 40, 5),
    )
    left.loglog(time, np.mean(losses, axis=0), color=color, label=kind)
    right.errorbar(
        observed.x, observed.slope, observed.standard_error, fmt="o", ms=4, color=color
    )
    right.axhline(law.value, color=color, lw=1.2, label=f"{kind}: {law.law}")
    right.axhspan(*law.interval, color=color, alpha=0.12, lw=0)
    print(f"{kind}: predicted {law.value:.2f}, observed", observed.slope.round(2))
left.set(xlabel="time (rate times steps)", ylabel="loss")
right.set(
    xscale="log", xlabel="time (rate times steps)", ylabel="exponent", ylim=(0, 0.9)
)
right.set_xticks([5, 10, 20, 40], ["5", "10", "20", "40"])
right.minorticks_off()
for axis in (left, right):
    axis.legend(frameon=False, fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)
