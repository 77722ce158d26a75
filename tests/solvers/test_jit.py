"""The one door to Numba: compiled or not, same numbers."""

import json
import os
import subprocess
import sys

import pytest

PROBE = """
import json, math
from scalinglaws.solvers import PowerLawSpectrum, linear, _jit
from scalinglaws.solvers.equivalents import kappa
found = linear.ridge(PowerLawSpectrum(1.5, 1.0, 300), features=40, samples=[10, 70, math.inf], ridge=1e-3, noise_variance=0.1)
flow = linear.gradient_flow([1, 100], PowerLawSpectrum(1.5, 1.0, 20), features=7, samples=12)
print(json.dumps([_jit.JIT, hasattr(kappa.mismatch, "py_func"), list(found.test_loss), list(found.kappa), list(flow.train_loss)]))
"""


def _run(**environment):
    output = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    ).stdout
    return json.loads(output)


def test_switching_compilation_off_changes_no_number():
    compiled, plain = _run(SCALINGLAWS_JIT="1"), _run(SCALINGLAWS_JIT="0")
    assert compiled[:2] == [True, True]
    assert plain[:2] == [False, False]
    for one, two in zip(compiled[2:], plain[2:], strict=True):
        assert one == pytest.approx(two, rel=1e-13)


def test_kernels_compile_where_no_cache_can_be_written(monkeypatch):
    import numba

    from scalinglaws.solvers import _jit

    attempts = []

    def compiler(*, cache, **options):
        attempts.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(_jit, "JIT", True)
    monkeypatch.setattr(numba, "njit", compiler)
    assert _jit.njit(abs) is abs
    assert attempts == [True, False]


POINTERS = """
import json
import numpy as np
from scalinglaws.solvers import _jit

@_jit.njit
def square(x, i):
    return x[i] ** 2

@_jit.njit
def cube(x, i):
    return x[i] ** 3

@_jit.njit
def total(function, x):
    found = 0.0
    for i in range(x.size):
        found += function(x, i)
    return found

given = [_jit.pointer(kernel, "float64(float64[::1], int64)") for kernel in (square, cube)]
x = np.array([1.0, 2.0, 3.0])
print(json.dumps([[total(function, x) for function in given], len(getattr(total, "signatures", [0]))]))
"""


@pytest.mark.parametrize("compiled", ["1", "0"])
def test_a_kernel_that_is_given_others_is_compiled_once(tmp_path, compiled):
    path = tmp_path / "pointers.py"
    path.write_text(POINTERS, encoding="utf-8")
    output = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SCALINGLAWS_JIT": compiled},
    ).stdout
    assert json.loads(output) == [[14.0, 36.0], 1]
