r"""Direct simulation of training under schedules: draw features and fresh samples, step with any rates, batches and memory, look at
the loss.

Features :math:`\psi` are Gaussian with variances :math:`\lambda_k`, labels are :math:`y = w^*\cdot\psi + \sigma\epsilon`, the
student is :math:`f = N^{-1/2}\, v\cdot A\psi` with an N x M Gaussian matrix A and a readout v that starts at zero, as in
`scalinglaws.verify.simulate.linear`. Rates and batches are arrays, one entry for each step; nothing here knows what a schedule is, and
no equation for moments is used.
"""

from ._records import ScheduledRuns
from ._training import train

__all__ = ["ScheduledRuns", "train"]
