"""The one door to Numba: compiled or not, same numbers."""

import json
import os
import subprocess
import sys

import numba
import pytest

from scalinglaws.solvers import _jit, _kernel

compiled_only = pytest.mark.skipif(not _jit.JIT, reason="no kernels are compiled")

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


@compiled_only
def test_kernels_compile_where_no_cache_can_be_written(monkeypatch):
    def nowhere(function):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(_kernel, "KernelCache", nowhere)
    double = _jit.njit(lambda x: 2 * x)
    assert (double(3.0), double.stats.cache_path) == (6.0, None)


@compiled_only
def test_numba_can_be_switched_off_too(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    assert _jit.njit(abs) is abs


FORMS = """
import json, pickle
import numpy as np
from scalinglaws.solvers._jit import njit, njit_shared

@njit_shared
def one(n):
    return 1 if n > 0 else 0

@njit
def square(x):
    return x * x

@njit
def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)

@njit
def total(x):
    found = 0.0
    for value in x:
        found += square(value)
    return found + factorial(x.size + 2) * one(x.size)

def forms():
    return [len(kernel.signatures) for kernel in (total, square, square.inner, factorial, factorial.inner)]

seen = [total(np.array([1.0, 2.0])), *forms()]
seen += [square(3.0), square(3), factorial(5) * one(7), *forms(), len(one.signatures)]
hits = [sum(kernel.stats.cache_hits.values()) for kernel in (total, square, square.inner, factorial)]
again = pickle.loads(pickle.dumps(square))
print(json.dumps([seen, hits, again(4.0)]))
"""


@compiled_only
def test_what_only_kernels_call_gets_no_form_for_python(tmp_path):
    path = tmp_path / "forms.py"
    path.write_text(FORMS, encoding="utf-8")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def again():
        call = [sys.executable, str(path)]
        return json.loads(subprocess.check_output(call, text=True, env=environment))

    seen = [29.0, 1, 0, 1, 0, 1, 9.0, 9, 120, 1, 2, 1, 1, 1, 1]
    assert again() == [seen, [0, 0, 0, 0], 16.0]
    found, hits, _ = (
        again()
    )  # machine code of all that Python calls is read; what it calls is part of it
    assert hits == [1, 2, 0, 1]
    assert found == [29.0, 1, 0, 0, 0, 0, 9.0, 9, 120, 1, 2, 0, 1, 0, 1]


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
