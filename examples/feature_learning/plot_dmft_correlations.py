r"""
What a network remembers
========================

The unknowns of the mean-field theory are matrices over pairs of steps: correlations of
errors, of the signals that drive the readout, and of the readout weights, and the
response of the errors. They show what noise and reused samples do to memory.
"""

# %%
# Fresh batches
# -------------
# Errors at distant steps stay correlated through what has not been learned. Signals are
# remembered too, until the large modes are learned; then each step is a new batch.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import solvers
from scalinglaws.solvers.feature_learning import online_dmft, reuse_dmft
from scalinglaws.verify.plots.feature_learning import correlation_maps

task = solvers.PowerLawSpectrum(1.5, 0.75)
given = {"features": 100, "learning_rate": 0.2, "richness": 1, "matrices": True}
fresh = online_dmft(200, task, batch=10, **given)
square = {"figsize": (9, 7.6), "layout": "constrained"}
figure = correlation_maps(fresh, figure=plt.figure(**square))

# %%
# The same samples
# ----------------
# Without new noise everything is smooth, and the past counts.

again = reuse_dmft(200, task, samples=60, **given)
figure = correlation_maps(again, figure=plt.figure(**square))


def coefficient(matrix, t, s):
    """Return the correlation coefficient between two steps."""
    return matrix[t, s] / np.sqrt(matrix[t, t] * matrix[s, s])


for name, run in (("fresh batches", fresh), ("same samples", again)):
    print(f"{name}: correlation coefficients")
    for lag in (1, 10, 100):
        error = coefficient(run.matrices.error, 200, 200 - lag)
        signal = coefficient(run.matrices.gradient, 200, 200 - lag)
        print(
            f"  steps 200 and {200 - lag:3}: errors {error:.3f}, signals {signal:.3f}"
        )

# %%
# The response
# ------------
# Nothing answers to the future: the response is strictly lower triangular, and so one
# pass over the steps solves the theory.

for run in (fresh, again):
    print(
        "largest response to the future:", np.abs(np.triu(run.matrices.response)).max()
    )
