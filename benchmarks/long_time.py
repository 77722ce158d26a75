"""Long runs of online SGD with feature learning: their cost against the number of steps, and against the march, extrapolated.

Run ``python benchmarks/long_time.py``; about two minutes of CPU time.
"""

from __future__ import annotations

import math
import time

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.feature_learning import online_dmft

TASK = PowerLawSpectrum(1.5, 0.75)
GIVEN = {"batch": 20, "learning_rate": 0.01, "richness": 1.0}
MARCHED = (350, 700)
STEPS = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8)


def cost(steps: int, **given: object) -> tuple[float, float]:
    """Return the CPU time of a run, and its largest error."""
    start = time.process_time()
    found = online_dmft(steps, TASK, at=[steps], **GIVEN, **given)
    return time.process_time() - start, float(found.error.max())


def main() -> None:
    """Print the table."""
    cost(300, method="macro")  # compile
    for steps in MARCHED:
        cost(50, method="march")
        taken, _ = cost(steps, method="march")
        print(f"march {steps:>12} steps {taken:10.2f} s")
    print(f"{'steps':>18} {'N = inf':>10} {'N = 1000':>10} {'error':>9} {'march, by its cube':>20}")
    for steps in STEPS:
        unlimited, error = cost(steps, method="macro")
        limited, _ = cost(steps, method="macro", features=1000) if steps <= 10**6 else (math.nan, 0)
        cube = taken * (steps / MARCHED[-1]) ** 3
        print(f"{steps:>18} {unlimited:8.2f} s {limited:8.2f} s {error:9.1e} {cube:18.3g} s")


if __name__ == "__main__":
    main()
