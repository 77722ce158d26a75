"""Counter-based random numbers."""

import numpy as np
import pytest
from scipy import stats

from scalinglaws.solvers import _jit
from scalinglaws.verify.simulate import _counter


def test_bits_are_those_of_splitmix64():
    # the first outputs for this seed, as published with the generator's test vectors
    with np.errstate(over="ignore"):
        found = [int(_counter.bits(np.uint64(1234567), np.uint64(i))) for i in range(3)]
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@_jit.njit
def _uniforms(key, out):
    for i in range(out.size):
        out[i] = _counter.uniform(key, np.uint64(i))


@pytest.mark.parametrize("substream", [None, 0, 1, 2**40])
def test_uniform_numbers_are_uniform_and_uncorrelated(substream):
    out = np.empty(20_000)
    key = _counter.new_key(np.random.default_rng(5))
    with np.errstate(over="ignore"):
        _uniforms(
            key if substream is None else np.uint64(_counter.subkey(key, np.uint64(substream))), out
        )
    assert out.min() >= 0
    assert out.max() < 1
    assert stats.kstest(out, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(out[:-1], out[1:])[0, 1]) < 4 / np.sqrt(out.size)


def test_substreams_do_not_repeat_each_other():
    with np.errstate(over="ignore"):
        keys = {int(_counter.subkey(np.uint64(7), np.uint64(i))) for i in range(1000)}
        words = {int(_counter.bits(np.uint64(key), np.uint64(0))) for key in keys}
    assert len(keys) == len(words) == 1000


def test_keys_follow_the_generator():
    one, other = (_counter.new_key(np.random.default_rng(3)) for _ in range(2))
    assert one == other != _counter.new_key(np.random.default_rng(4))
