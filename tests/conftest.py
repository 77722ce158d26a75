"""Set up before anything compiles: a kernel cache that knows the sources, and floating-point errors that raise."""

import json
import os
import runpy
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


# One folder of compiled kernels per state of the kernels: tests/kernel_digest.py says why.
_kernels = runpy.run_path(str(ROOT / "tests" / "kernel_digest.py"))
os.environ.setdefault(
    "NUMBA_CACHE_DIR",
    str(
        Path(tempfile.gettempdir())
        / f"scalinglaws-kernels-{_kernels['kernel_digest'](ROOT / 'scalinglaws')}"
    ),
)

# one numerical thread per process: the matrices of the tests are small, and the processes are many
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# what checks find is kept in the cache folder: not in the one of whoever runs the tests
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="scalinglaws-cache-")

import matplotlib  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

matplotlib.use("Agg")
settings.register_profile("default", derandomize=True, deadline=None)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _floating_point_errors_raise():
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.fixture(scope="session")
def root():
    """Return the project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def reference():
    """Return a reader of reference values by file name."""

    def read(name):
        text = (ROOT / "tests" / "reference" / f"{name}.json").read_text(encoding="utf-8")
        return json.loads(text)

    return read


@pytest.fixture(scope="session")
def shared_report(tmp_path_factory):
    """Return a function that returns the quick report of named checks: each check is run once, whatever the processes.

    Only for tests that read verdicts of checks as they are shipped, and under no patch.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # the one that processes share
    shared = runpy.run_path(str(ROOT / "tests" / "shared_checks.py"))["SharedChecks"]
    return shared(folder / "finished-checks").report
