"""Results of more draws than memory holds are refused at the door, by every simulation that draws."""

from inspect import isfunction, signature

import pytest

from scalinglaws.errors import ResourceError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.verify.simulate import (
    feature_learning,
    kernel_adaptation,
    learnability,
    linear,
    patterns,
    perceptron,
    renormalization,
    schedules,
)

SPECTRUM = PowerLawSpectrum(1.5, 0.5, 20)
CALLS = {
    (linear, "gradient_flow"): ((1.0, SPECTRUM), {}),
    (linear, "gradient_descent"): ((1, SPECTRUM), {"learning_rate": 0.1}),
    (linear, "online_sgd"): ((1, SPECTRUM), {"learning_rate": 0.1}),
    (linear, "random_feature_ridge"): ((SPECTRUM,), {"samples": 10}),
    (linear, "population_projection"): ((SPECTRUM,), {"features": 5}),
    (schedules, "train"): (([0.1], SPECTRUM), {}),
    (feature_learning, "gradient_flow"): ((1.0, SPECTRUM), {"richness": 0.1}),
    (feature_learning, "network_flow"): ((1.0, SPECTRUM), {"richness": 0.1}),
    (feature_learning, "rank_one_flow"): ((1.0, SPECTRUM), {"richness": 0.1}),
    (feature_learning, "gradient_descent"): (
        (1, SPECTRUM),
        {"learning_rate": 0.1, "richness": 0.1},
    ),
    (feature_learning, "online_sgd"): (
        (1, SPECTRUM),
        {"learning_rate": 0.1, "richness": 0.1, "batch": 4},
    ),
    (feature_learning, "opposite_noise"): (
        (1, SPECTRUM),
        {"learning_rate": 0.1, "richness": 0.1, "batch": 4},
    ),
    (feature_learning, "layer_descent"): (
        (1, SPECTRUM),
        {"learning_rate": 0.1, "richness": 0.1, "features": 4},
    ),
    (feature_learning, "circle_perceptron"): (
        (1.0,),
        {"neurons": 4, "samples": 8, "richness": 0.1, "target_exponent": 1.0, "harmonics": 3},
    ),
    (feature_learning, "circle_network"): (
        (1.0,),
        {"neurons": 4, "samples": 8, "richness": 0.1, "target_exponent": 1.0, "harmonics": 3},
    ),
    (perceptron, "fixed_norm"): ((1.0,), {"alpha": 2, "inputs": 10}),
    (perceptron, "gradient_flow"): ((1.0,), {"alpha": 2, "inputs": 10}),
    (perceptron, "max_stability"): ((2,), {"inputs": 10}),
    (perceptron, "version_space"): ((2,), {"inputs": 10}),
    (kernel_adaptation, "sample_posterior"): (
        ([[1.0], [2.0]], [1.0, 2.0]),
        {"neurons": 2, "ridge": 1.0, "rng": 0},
    ),
    (kernel_adaptation, "sample_convolutional"): (
        ([[[1.0]], [[2.0]]], [1.0, 2.0]),
        {"channels": 2, "ridge": 1.0, "rng": 0},
    ),
    (kernel_adaptation, "sample_deep"): (
        ([[1.0], [2.0]], [1.0, 2.0]),
        {"neurons": (2, 2), "ridge": 1.0, "rng": 0},
    ),
    (kernel_adaptation, "learnability_point"): ((10,), {"dimension": 3, "rng": 0}),
    (kernel_adaptation, "convolutional_point"): (
        (10,),
        {"patches": 2, "patch_size": 2, "channels": 3, "rng": 0},
    ),
    (learnability, "regress_population"): (([[1.0]], [1.0], 2), {"ridge": 1.0, "rng": 0}),
    (learnability, "regress_digits"): ((2,), {"ridge": 1.0, "rng": 0}),
    (learnability, "regress_modes"): (([1.0], [1.0], 2), {"ridge": 1.0, "rng": 0}),
    (patterns, "head_overlap"): (([1.0], 3), {"rng": 0}),
    (patterns, "weigh_networks"): ((2,), {"noise": 1.0, "rng": 0}),
    (renormalization, "sample_likelihood"): (
        ([[1.0], [2.0]], [1.0, 2.0]),
        {"eigenvalues": [1.0], "couplings": [1.0], "rng": 0},
    ),
}


def test_all_that_draw_are_called():
    drawing = {
        (room, name)
        for room in (
            *(linear, feature_learning, perceptron, kernel_adaptation),
            *(learnability, patterns, renormalization, schedules),
        )
        for name in room.__all__
        if isfunction(getattr(room, name)) and "draws" in signature(getattr(room, name)).parameters
    }
    assert drawing == set(CALLS)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0].__name__}.{call[1]}")
def test_draws_beyond_memory_are_refused(call):
    room, name = call
    given, more = CALLS[call]
    with pytest.raises(ResourceError, match="use fewer .*draws"):
        getattr(room, name)(*given, **more, draws=10**14)
