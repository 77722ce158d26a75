"""Write the synthetic runs that come with the package: ``python tests/write_example_runs.py``.

The file is shipped rather than made on demand, so that what the documentation shows for it does not hang on a generator of random
numbers; a test compares it with what this writes.
"""

from pathlib import Path

import numpy as np
from scipy.optimize import brentq

PATH = Path("scalinglaws/verify/empirical/data/synthetic_runs.csv")
E, A, B, a, b = 1.8172, 482.01, 2085.43, 0.3478, 0.3658  # Besiroglu et al., arXiv:2404.10102
NOISE = 0.0025
OMEGA = 47491.0  # embeddings: N = n + OMEGA n^(1/3), Pearce and Song, arXiv:2406.12907


def written():
    """Return the table as text: six budgets, ten sizes within a factor 6 of the best one."""
    noise = np.random.default_rng(20).normal(0.0, NOISE, 60)
    scale = (a * A / (b * B)) ** (1 / (a + b))
    lines = ["run,params,params_non_embedding,tokens,eval/loss"]
    for budget in np.geomspace(1e19, 1e21, 6):
        best = scale * (budget / 6) ** (b / (a + b))
        for size in best * np.geomspace(1 / 6, 6, 10):
            N = round(size)
            D = round(budget / (6 * N))
            n = round(brentq(lambda n, N=N: n + OMEGA * n ** (1 / 3) - N, 1.0, N))
            place = len(lines) - 1
            loss = (E + A * N**-a + B * D**-b) * np.exp(noise[place])
            lines.append(f"run-{place + 1:02d},{N},{n},{D},{loss:.5f}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(written(), encoding="utf-8")
