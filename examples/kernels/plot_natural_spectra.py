r"""
Spectra of natural language
===========================

Words of a language are used as :math:`1/(r + b)^a` with their rank r: the law of Zipf and
Mandelbrot, a near 1 and b near 2.7 (:math:`1/(r + 2)^{1.08}` for the words of one novel).
Features that are words have such a spectrum. How many samples does a word take?
"""

# %%
# Samples for half of a word
# --------------------------
# With a at most 1 no trace converges: how many words there are matters to all of them.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.solvers import EmpiricalSpectrum
from scalinglaws.solvers.learnability import (
    learning_curve,
    samples_for_learnability,
    samples_for_target,
)

RIDGE = 1e-3
shades = plt.colormaps["viridis"](np.linspace(0.1, 0.85, 3))
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
languages = {
    size: EmpiricalSpectrum.zipf_mandelbrot(1.0, 2.7, size)
    for size in (10**3, 10**4, 10**5)
}
for (size, spectrum), color in zip(languages.items(), shades, strict=True):
    rank = np.unique(np.geomspace(1, size, 40).round())
    half = samples_for_learnability(
        spectrum, ridge=RIDGE, mode_eigenvalue=1 / (rank + 2.7)
    )
    left.plot(rank, half, color=color, label=f"{size:g} words")
left.plot(rank, rank, ":", color="#555555", label="one sample a word")
left.set(
    xscale="log",
    yscale="log",
    xlabel="rank of the word",
    ylabel="samples for half of it",
)
left.legend(frameon=False, fontsize=9)

# %%
# A target that gives every word the weight of its use is learned word by word. With the
# exponent 1.08 of a novel the tail of rare words is a little lighter.

samples = np.geomspace(1, 1e6, 60)
for (a, b), color in zip(
    ((1.0, 2.7), (1.08, 2.0)), ("#1b3a5c", "#d1495b"), strict=True
):
    spectrum = EmpiricalSpectrum.zipf_mandelbrot(a, b, 10**5)
    curve = learning_curve(spectrum, samples=samples, ridge=RIDGE)
    loss = curve.test_loss / np.sum(spectrum.signal)
    right.plot(samples, loss, color=color, label=rf"$(r + {b:g})^{{-{a:g}}}$")
    half = samples_for_target(spectrum, ridge=RIDGE)
    right.axvline(half, color=color, lw=0.8, ls=":")
    print(
        f"a = {a:g}, b = {b:g}: half of the target is learned with {half:.0f} samples"
    )
right.set(
    xscale="log", xlabel="samples P", ylabel="test loss over power", ylim=(0, None)
)
right.legend(frameon=False, fontsize=9)
for axis in (left, right):
    axis.spines[["top", "right"]].set_visible(False)
