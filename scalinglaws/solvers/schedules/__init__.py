r"""Any schedule of learning rates and batches: exact mean losses of one-pass training, and which schedule is best.

The model is the lazy random-feature model of `scalinglaws.solvers.linear`: losses are :math:`E(f - y)^2` without a factor 1/2 and without
the irreducible :math:`\sigma^2`.
"""

from ._accumulated import AccumulatedNoise, accumulated_noise
from ._cooldown import OptimalCooldown, optimal_cooldown
from ._functional import FunctionalLaw, functional_law
from ._methods import DANA, EMA, SGD, HeavyBall, Nesterov, TailAverage
from ._optimal import OptimalSchedule, optimal_schedule
from ._schedule import Schedule
from ._stability import ScheduleStability, stability
from ._train import ScheduledTraining, TrainingDiagnostics, train
from ._tuned import TunedRate, tuned_rate

__all__ = [
    "DANA",
    "EMA",
    "SGD",
    "AccumulatedNoise",
    "FunctionalLaw",
    "HeavyBall",
    "Nesterov",
    "OptimalCooldown",
    "OptimalSchedule",
    "Schedule",
    "ScheduleStability",
    "ScheduledTraining",
    "TailAverage",
    "TrainingDiagnostics",
    "TunedRate",
    "accumulated_noise",
    "functional_law",
    "optimal_cooldown",
    "optimal_schedule",
    "stability",
    "train",
    "tuned_rate",
]
