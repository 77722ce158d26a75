"""Training along schedules: macro steps against other algorithms, independence of scale, tuning, and what the first call costs.

Run ``python benchmarks/schedules.py``, two minutes; ``--flat`` for curves against the number of steps alone. Times are of one core.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.signal import fftconvolve
from threadpoolctl import threadpool_limits
from timing import least_cpu

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.linear import online_sgd
from scalinglaws.solvers.schedules import (
    DANA,
    EMA,
    HeavyBall,
    Schedule,
    TailAverage,
    optimal_schedule,
    train,
    tuned_rate,
)
from scalinglaws.verify import simulate

TASK = PowerLawSpectrum.from_ab(2, 1.5)
GIVEN: dict[str, Any] = {"batch": 4, "noise_variance": 0.1}
LONG = 10**8
DIRECT = 200_000  # steps that the recursion takes here
VOLTERRA = 2**21  # steps of the convolution: its kernel takes a second and 0.1 GB to tabulate


def wsd(steps: float) -> Schedule:
    """Return the schedule that is timed."""
    return Schedule.wsd(rate=0.1, steps=int(steps), cooldown=0.2)


def volterra(steps: int, rate: float) -> np.ndarray:
    """Solve the Volterra equation of a constant rate by fixed-point iterations, each an FFT convolution."""
    modes = TASK.modes(40)
    x, count, signal = modes.eigenvalues, modes.multiplicities, modes.signal
    spread = 1 / GIVEN["batch"]
    log_q = np.log1p(-rate * x * (2 - rate * x * (1 + spread)))
    free, kernel = np.empty(steps + 1), np.empty(steps + 1)
    for first in range(0, steps + 1, 4096):  # a block of times times modes
        t = np.arange(first, min(first + 4096, steps + 1))
        decay = np.exp(np.multiply.outer(t, log_q))
        free[t], kernel[t] = decay @ signal, decay @ (rate**2 * spread * count * x**2)
    noise, losses = GIVEN["noise_variance"], free.copy()
    while True:
        found = free.copy()
        found[1:] += fftconvolve(kernel, losses + noise)[:steps]
        change = np.max(np.abs(found / losses - 1))
        losses = found
        if change < 1e-9:
            return losses


def rivals() -> None:
    """Print what other algorithms cost, over macro steps."""
    fast = least_cpu(lambda: train(wsd(LONG), TASK, **GIVEN, at=LONG))
    rows = [("macro steps, two meshes", fast)]

    listed = Schedule.from_array(wsd(DIRECT).values())
    train(listed, TASK, **GIVEN, at=DIRECT)
    direct = least_cpu(lambda: train(listed, TASK, **GIVEN, at=DIRECT), 3)
    off = train(listed, TASK, **GIVEN, at=DIRECT).test_loss
    off = abs(off / train(wsd(DIRECT), TASK, **GIVEN, at=DIRECT).test_loss - 1)
    rows.append((f"each step, {DIRECT:.0e} of them times {LONG // DIRECT}", direct * LONG / DIRECT))

    start = time.process_time()
    losses = volterra(VOLTERRA, 0.1)
    grown = LONG * math.log(LONG) / (VOLTERRA * math.log(VOLTERRA))
    rows.append(
        (f"FFT of Volterra's equation, {VOLTERRA:.0e} steps", grown * (time.process_time() - start))
    )
    constant = train(Schedule.constant(0.1, VOLTERRA), TASK, **GIVEN, at=VOLTERRA).test_loss

    sizes: dict[str, Any] = {
        "features": 60,
        "batch": 4,
        "noise_variance": 0.1,
        "learning_rate": 0.1,
    }
    small, steps = PowerLawSpectrum.from_ab(2, 1.5, 400), np.array([10_000])
    simulate.linear.online_sgd(steps, small, **sizes, draws=2)
    start = time.process_time()
    drawn = simulate.linear.online_sgd(steps, small, **sizes, draws=60).test_loss
    per_run = (time.process_time() - start) / 60
    runs = float(drawn.std() / drawn.mean() / 0.01) ** 2
    rows.append((f"simulation to 1 %, {runs:.0f} runs of 400 modes", per_run * runs * LONG / 1e4))

    print(f"1e8 steps, infinitely many modes and features             seconds{'ratio':>12}")
    for label, seconds in rows:
        print(f"{label:<52}{seconds:13.2e}{seconds / fast:12.0f}")
    print(
        f"agreement with each step {off:.1e}, with Volterra's equation {abs(losses[-1] / constant - 1):.1e}"
    )
    print(
        "(all but the first extrapolated; Volterra's kernel is one of differences for a constant rate only)\n"
    )


STEPS = (1e4, 1e6, 1e8, 1e10, 1e12)
POINTS = 30


def flatness() -> None:
    """Print milliseconds of a curve of 30 points against the number of steps, whatever is trained how, and its growth."""
    print(f"milliseconds of a curve of {POINTS} points against the number of steps")
    print(
        f"  {'':<38}{''.join(f'{t:>9.0e}' for t in STEPS)}   1e12 over 1e4    ratio to every step (extrapolated from 2e5)"
    )

    def at(t: float) -> np.ndarray:
        return np.geomspace(1, t, POINTS).round()

    def row(label: str, call: Callable[[float], object], single: float | None = None) -> None:
        taken = []
        for t in STEPS:
            call(t)
            taken.append(least_cpu(lambda t=t: call(t), 5))
        cells = "".join(f"{1e3 * seconds:9.1f}" for seconds in taken)
        ratio = f"{single * STEPS[-1] / DIRECT / taken[-1]:26.1e}" if single else ""
        print(f"  {label:<38}{cells}{taken[-1] / taken[0]:16.1f}{ratio}")

    shapes: dict[str, Callable[[float], Schedule]] = {
        "constant": lambda t: Schedule.constant(0.1, int(t)),
        "wsd": wsd,
        "linear": lambda t: Schedule.power(1, rate=0.1, steps=int(t)),
        "cosine": lambda t: Schedule.cosine(rate=0.1, steps=int(t)),
        "power 2": lambda t: Schedule.power(2, rate=0.1, steps=int(t)),
        "inverse square root": lambda t: Schedule.inverse_power(0.5, rate=0.1, steps=int(t)),
        "cosine, warm-up of 1 %": lambda t: Schedule.cosine(
            rate=0.1, steps=int(t), warmup=int(t) // 100
        ),
    }
    for features in (math.inf, 1e6):
        for batch in (4.0, math.inf):
            given: dict[str, Any] = {"features": features, "batch": batch, "noise_variance": 0.1}
            listed = Schedule.from_array(np.full(DIRECT, 0.1))
            single = least_cpu(lambda g=given, s=listed: train(s, TASK, **g, at=at(DIRECT)), 2)
            place = f"N = {features:g}, B = {batch:g}"
            row(
                f"online_sgd, {place}",
                lambda t, g=given: online_sgd(at(t), TASK, learning_rate=0.1, **g),
            )
            for name, made in shapes.items():
                row(
                    f"{name}, {place}",
                    lambda t, g=given, m=made: train(m(t), TASK, **g, at=at(t)),
                    single,
                )
        momentum: dict[str, Any] = {"features": features, **GIVEN, "method": HeavyBall(0.9)}
        row(
            f"heavy ball, wsd, N = {features:g}",
            lambda t, g=momentum: train(Schedule.wsd(rate=0.01, steps=int(t)), TASK, **g, at=at(t)),
        )
        row(
            f"average of the last half, N = {features:g}",
            lambda t, n=features: train(
                wsd(t), TASK, features=n, **GIVEN, average=TailAverage(0.5), at=at(t)
            ),
        )
        row(
            f"best rate of wsd, N = {features:g}",
            lambda t, n=features: tuned_rate(wsd(t), TASK, features=n, batch=8, noise_variance=1),
        )


def scales() -> None:
    """Print milliseconds against every other scale."""

    def row(label: str, cells: dict[str, Callable[[], object]]) -> None:
        taken = []
        for name, call in cells.items():
            call()
            taken.append(f"{name}: {1e3 * least_cpu(call, 5):5.1f}")
        print(f"  {label:<22}" + "   ".join(taken))

    print("\nmilliseconds of one run")
    row(
        "features, 1e8 steps",
        {
            f"{n:.0e}": lambda n=n: train(wsd(LONG), TASK, features=n, **GIVEN, at=LONG)
            for n in (1e3, 1e6, 1e9, math.inf)
        },
    )
    row(
        "breaks, 1e8 steps",
        {
            f"{breaks}": lambda k=breaks: train(staircase(k), TASK, **GIVEN, at=LONG)
            for breaks in (0, 1, 4, 16)
        },
    )
    row(
        "methods, 1e8 steps",
        {
            "heavy ball": lambda: train(
                Schedule.wsd(rate=0.01, steps=LONG), TASK, **GIVEN, method=HeavyBall(0.9), at=LONG
            ),
            "DANA": lambda: train(
                Schedule.constant(0.02, LONG), TASK, batch=4, method=DANA.decaying(1.5), at=LONG
            ),
            "tail average": lambda: train(
                wsd(LONG), TASK, **GIVEN, average=TailAverage(0.5), at=LONG
            ),
            "EMA": lambda: train(wsd(LONG), TASK, **GIVEN, average=EMA(1e-6), at=LONG),
        },
    )


def staircase(breaks: int) -> Schedule:
    """Return a rate that falls by a factor at equidistant breaks."""
    places = LONG // (breaks + 1) * np.arange(1, breaks + 1)
    return Schedule.from_function(
        lambda t: 0.9 ** np.searchsorted(places, t, side="right"), places, steps=LONG, rate=0.1
    )


def tuning() -> None:
    """Print what the best rate of a shape, and the best shape, cost."""
    print("\nseconds of tuning, 1e8 steps")
    for label, call in (
        ("best rate of wsd", lambda: tuned_rate(wsd(LONG), TASK, batch=8, noise_variance=1)),
        (
            "same, N = 1e6",
            lambda: tuned_rate(wsd(LONG), TASK, features=1e6, batch=8, noise_variance=1),
        ),
        ("best schedule", lambda: optimal_schedule(LONG, TASK, batch=8, noise_variance=1)),
    ):
        call()
        print(f"  {label:<22}{least_cpu(call, 3):6.2f}")


FIRST = """
import time
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.schedules import HeavyBall, Schedule, train
task, schedule = PowerLawSpectrum.from_ab(2, 1.5), Schedule.wsd(rate=0.01, steps=10**8)
def call(**more):
    start = time.process_time()
    train(schedule, task, batch=4, noise_variance=0.1, at=10**8, **more)
    return time.process_time() - start
print(f"{call():.1f} s with N = inf, then {call(features=1e6):.1f} s with N = 1e6, {call(method=HeavyBall(0.9)):.1f} s with momentum")
"""


def compilation() -> None:
    """Print what a first call costs, from an empty cache."""
    with tempfile.TemporaryDirectory(prefix="scalinglaws-schedules-") as folder:
        empty = {**os.environ, "NUMBA_CACHE_DIR": folder}
        found = subprocess.run(
            [sys.executable, "-c", FIRST], env=empty, capture_output=True, text=True, check=True
        )
    print(f"\nfirst calls in a fresh process, kernels compiled: {found.stdout.strip()}")


if __name__ == "__main__":
    with threadpool_limits(1):
        flatness()
        if "--flat" not in sys.argv[1:]:
            rivals()
            scales()
            tuning()
            compilation()
