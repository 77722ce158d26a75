"""Errors say what is wrong, carry what was reached, and survive a trip between processes."""

import pickle

import pytest

from scalinglaws import errors


@pytest.mark.parametrize(
    ("kind", "builtin", "extra"),
    [
        (errors.DomainError, ValueError, {"argument": "alpha", "value": -1}),
        (errors.DataError, ValueError, {"row": 3}),
        (errors.ConvergenceError, RuntimeError, {"result": (1, 2)}),
        (errors.WorkerError, RuntimeError, {"finished": {0: 1}}),
        (errors.ResourceError, MemoryError, {}),
    ],
)
def test_errors_are_also_built_in_ones_and_pickle(kind, builtin, extra):
    error = kind("what happened", **extra)
    assert isinstance(error, errors.ScalingLawsError)
    assert isinstance(error, builtin)
    back = pickle.loads(pickle.dumps(error))
    assert str(back) == "what happened"
    assert vars(back) == extra
    assert type(kind.__new__(kind, "made as libraries that unpickle errors do")) is kind


def test_unknown_name_suggests_the_nearest_or_lists_what_there_is():
    assert "did you mean 'samples'" in str(
        errors.unknown_name("argument", "sample", ["samples", "ridge"])
    )
    assert str(errors.unknown_name("argument", "zzz", ["samples", "ridge"])).endswith(
        "known: ridge, samples"
    )
    assert str(errors.unknown_name("argument", "zzz", [])).endswith("known: none")
