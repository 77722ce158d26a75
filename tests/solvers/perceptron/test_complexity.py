"""Spectral complexity: dense references, homogeneity, convolutions as operators, blocks, state dictionaries."""

import math
from collections import OrderedDict

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError, ResourceError
from scalinglaws.solvers.perceptron import (
    Attention,
    Residual,
    SpectralComplexity,
    _layer_norms,
    fold_normalization,
    spectral_complexity,
)

FIRST = np.sin(3 * np.arange(4)[:, None] + 5 * np.arange(6) + 1)
SECOND = np.cos(2 * np.arange(3)[:, None] - 3 * np.arange(4))
O, C, A, B = np.ogrid[:3, :2, :3, :3]
KERNEL = np.sin(O + 2 * C + 3 * A + 5 * B + 1)


def dense(kernel, height, width, around):
    """Write a convolution as the matrix that it is."""
    outputs, inputs, rows, columns = kernel.shape
    matrix = np.zeros((outputs, height, width, inputs, height, width))
    for i, j, a, b in np.ndindex(height, width, rows, columns):
        x, y = i + a - rows // 2, j + b - columns // 2
        if around:
            matrix[:, i, j, :, x % height, y % width] += kernel[:, :, a, b]
        elif 0 <= x < height and 0 <= y < width:
            matrix[:, i, j, :, x, y] += kernel[:, :, a, b]
    return matrix.reshape(outputs * height * width, inputs * height * width)


class Tensor:
    """Stand for another library's array: NumPy reads it by its protocol, and nothing else is known of it."""

    def __init__(self, values):
        self._values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self._values if dtype is None else self._values.astype(dtype)


class OnDevice:
    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert a device tensor")


def test_the_known_value(reference):
    known = reference("perceptron")["complexity"]
    found = spectral_complexity([FIRST, SECOND])
    assert found.complexity == pytest.approx(known["dense"], rel=1e-9)
    assert found.product_of_norms * found.effective_rank == pytest.approx(found.complexity)
    assert found.value == found.complexity
    assert found.contributions.sum() == pytest.approx(1)
    ratios = (found.group_norms / found.spectral_norms) ** (2 / 3)
    np.testing.assert_allclose(found.contributions, ratios / ratios.sum(), rtol=1e-14)
    np.testing.assert_allclose(
        found.spectral_norms, [np.linalg.svd(w)[1][0] for w in (FIRST, SECOND)], rtol=1e-13
    )
    np.testing.assert_allclose(
        found.group_norms, [np.linalg.norm(w, axis=1).sum() for w in (FIRST, SECOND)], rtol=1e-13
    )


def test_one_layer_is_the_sum_of_its_rows_lengths():
    assert spectral_complexity([FIRST]).complexity == pytest.approx(
        np.linalg.norm(FIRST, axis=1).sum(), rel=1e-13
    )
    row = np.array([3.0, 4.0])
    for given in (row, row[None], [[3.0, 4.0]], Tensor(row)):
        assert spectral_complexity(given, lipschitz=2).complexity == pytest.approx(10, rel=1e-14)


def test_homogeneity_and_lipschitz_constants():
    whole = spectral_complexity([FIRST, SECOND])
    for scale in (1e-200, 1e-3, 2.0, 1e90):
        for layers in ([scale * FIRST, SECOND], [FIRST, scale * SECOND]):
            found = spectral_complexity(layers)
            assert found.complexity == pytest.approx(scale * whole.complexity, rel=1e-13)
            assert found.effective_rank == pytest.approx(whole.effective_rank, rel=1e-13)
    steep = spectral_complexity([FIRST, SECOND], lipschitz=[2.0, 0.25])
    assert steep.complexity == pytest.approx(0.5 * whole.complexity, rel=1e-13)


def test_references_shift_the_rows_and_not_the_expansion():
    found = spectral_complexity([FIRST, SECOND], reference=[0 * FIRST, SECOND])
    plain = spectral_complexity([FIRST, SECOND])
    assert found.product_of_norms == plain.product_of_norms
    assert found.effective_rank == pytest.approx(
        plain.group_norms[0] / plain.spectral_norms[0], rel=1e-13
    )
    assert found.contributions.tolist() == [1, 0]
    same = spectral_complexity([FIRST, SECOND], reference=[FIRST, SECOND])
    assert same.complexity == 0
    assert same.contributions.tolist() == [0, 0]


def test_other_norms():
    weights = [FIRST, SECOND]
    values = {
        "complexity": spectral_complexity(weights).complexity,
        "spectral": math.prod(np.linalg.norm(w, 2) for w in weights),
        "group": sum(np.linalg.norm(w, axis=1).sum() for w in weights),
        "l1": sum(np.abs(w).sum() for w in weights),
        "l2": math.sqrt(sum((w**2).sum() for w in weights)),
    }
    for norm, value in values.items():
        found = spectral_complexity(weights, norm=norm)
        assert found.value == pytest.approx(value, rel=1e-13)
        assert found.complexity == pytest.approx(values["complexity"], rel=1e-13)


def test_convolutions_have_the_known_values(reference):
    known = reference("perceptron")["complexity"]
    for mode in ("operator", "zero", "reshape"):
        found = spectral_complexity([KERNEL], convolution=mode, shape=(6, 5))
        sigma, group = known[mode]
        assert found.spectral_norms[0] == pytest.approx(sigma, rel=1e-9)
        # printed 235.0488334 for padding with zeros; the matrix itself, below, has 235.0488373
        assert found.group_norms[0] == pytest.approx(group, rel=2e-8 if mode == "zero" else 1e-9)
    exact = np.linalg.norm(dense(KERNEL, 6, 5, False), axis=1).sum()
    assert exact == pytest.approx(235.0488373, abs=1e-7)


@pytest.mark.parametrize("size", [(3, 2, 3, 3), (2, 5, 2, 4), (4, 1, 1, 1), (1, 3, 5, 4)])
@pytest.mark.parametrize(("mode", "around"), [("operator", True), ("zero", False)])
def test_convolutions_are_their_matrices(size, mode, around):
    kernel = np.random.default_rng(3).standard_normal(size)
    found = spectral_complexity([kernel], convolution=mode, shape=(6, 5))
    matrix = dense(kernel, 6, 5, around)
    assert found.spectral_norms[0] == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-10)
    assert found.group_norms[0] == pytest.approx(np.linalg.norm(matrix, axis=1).sum(), rel=1e-12)
    tiny = spectral_complexity([kernel[:1, :1, :1, :2]], convolution=mode, shape=(1, 2))
    small = dense(kernel[:1, :1, :1, :2], 1, 2, around)
    assert tiny.spectral_norms[0] == pytest.approx(np.linalg.norm(small, 2), rel=1e-10)


def test_convolutions_along_a_row():
    kernel = np.random.default_rng(4).standard_normal((3, 2, 5))
    found = spectral_complexity([kernel], shape=(1, 9))
    matrix = dense(kernel[:, :, None], 1, 9, True)
    assert found.spectral_norms[0] == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-10)


def test_shapes_for_each_convolution():
    other = np.random.default_rng(5).standard_normal((2, 3, 3, 3))
    found = spectral_complexity([KERNEL, other, SECOND], shape=[(6, 5), (3, 3)])
    alone = [
        spectral_complexity([KERNEL], shape=(6, 5)),
        spectral_complexity([other], shape=(3, 3)),
    ]
    np.testing.assert_allclose(found.group_norms[:2], [each.group_norms[0] for each in alone])
    assert found.layers == ("0", "1", "2")


def test_iteration_finds_what_all_singular_values_show(monkeypatch):
    matrix = np.random.default_rng(6).standard_normal((120, 90))
    exact = spectral_complexity([matrix]).spectral_norms[0]
    monkeypatch.setattr(_layer_norms, "_DENSE", 50)
    assert spectral_complexity([matrix]).spectral_norms[0] == pytest.approx(exact, rel=1e-10)
    # two singular values that are nearly the same
    close = np.diag([1.0, 1 - 1e-7] + [0.5] * 98)
    assert spectral_complexity([close]).spectral_norms[0] == pytest.approx(1, rel=1e-6)


def test_residual_blocks_are_sums_of_branches():
    square = np.random.default_rng(7).standard_normal((4, 4))
    down, up = square[:2], square[:, :2]
    found = spectral_complexity([FIRST, Residual([down, up]), SECOND])
    chain = spectral_complexity([FIRST, down, up, SECOND])
    inner = math.prod(chain.spectral_norms[1:3])
    assert found.product_of_norms == pytest.approx(
        chain.spectral_norms[0] * (1 + inner) * chain.spectral_norms[3], rel=1e-13
    )
    assert found.effective_rank == pytest.approx(chain.effective_rank, rel=1e-13)
    assert found.layers == ("0", "1.0", "1.1", "2")
    projected = spectral_complexity([Residual([down, up], shortcut=[square])])
    assert projected.product_of_norms == pytest.approx(inner + np.linalg.norm(square, 2), rel=1e-13)
    assert projected.layers == ("0.0", "0.1", "0.shortcut.0")
    nested = spectral_complexity([Residual([square, Residual([square])])])
    sigma = np.linalg.norm(square, 2)
    assert nested.product_of_norms == pytest.approx(1 + sigma * (1 + sigma), rel=1e-13)
    # the sum bounds what the block does
    block = np.eye(4) + up @ down
    assert np.linalg.norm(block, 2) <= 1 + inner


def test_attention_is_two_layers():
    rng = np.random.default_rng(8)
    query, key, value = rng.standard_normal((3, 3, 5))
    output = rng.standard_normal((5, 3))
    found = spectral_complexity([Attention(query, key, value, output)])
    plain = spectral_complexity([query.T @ key, output @ value])
    assert found.complexity == pytest.approx(plain.complexity, rel=1e-13)
    assert found.layers == ("0.scores", "0.values")
    with pytest.raises(DataError, match="do not fit"):
        spectral_complexity([Attention(query, key[:2], value, output)])


def test_folded_normalizations():
    scale, variance = np.array([1.0, -2.0, 3.0, 0.5]), np.array([4.0, 1.0, 0.25, 9.0])
    folded = fold_normalization(FIRST, scale, variance, epsilon=0)
    np.testing.assert_allclose(folded, np.diag(scale / np.sqrt(variance)) @ FIRST)
    into = fold_normalization(SECOND, scale, into="inputs")
    np.testing.assert_allclose(into, SECOND @ np.diag(scale))
    kernel = fold_normalization(KERNEL, [2, 3], into="inputs")
    np.testing.assert_allclose(kernel[:, 1], 3 * KERNEL[:, 1])
    for arguments, more, message in (
        ((FIRST, [1, 2]), {}, "scale = .* one entry for each of the outputs"),
        ((FIRST, scale, variance[:2]), {}, "variance = "),
        ((FIRST, scale, 0 * variance), {"epsilon": 0}, "variance = "),
        ((FIRST, scale, variance), {"epsilon": -1}, "epsilon = "),
        ((FIRST, scale), {"into": "rows"}, "into = 'rows'"),
    ):
        with pytest.raises(DomainError, match=message):
            fold_normalization(*arguments, **more)


def test_state_dictionaries():
    scale, variance = np.array([1.0, 2.0, 3.0, 0.5]), np.array([4.0, 1.0, 0.25, 9.0])
    state = OrderedDict(
        {
            "first.weight": Tensor(FIRST.astype(np.float32)),
            "first.bias": Tensor(np.ones(4)),
            "norm.weight": Tensor(scale),
            "norm.bias": Tensor(np.ones(4)),
            "norm.running_mean": Tensor(np.ones(4)),
            "norm.running_var": Tensor(variance),
            "norm.num_batches_tracked": Tensor(np.array(7)),
            "layer_norm.weight": Tensor(scale),
            "layer_norm.bias": Tensor(np.zeros(4)),
            "second.weight": Tensor(SECOND),
        }
    )
    found = spectral_complexity(state)
    by_hand = spectral_complexity(
        [
            fold_normalization(FIRST.astype(np.float32), scale, variance),
            fold_normalization(SECOND, scale, into="inputs"),
        ]
    )
    assert found.complexity == pytest.approx(by_hand.complexity, rel=1e-13)
    assert found.layers == ("first.weight", "second.weight")
    assert spectral_complexity(state, reference=state).complexity == 0


def test_stacked_attention_of_a_state_dictionary():
    rng = np.random.default_rng(9)
    stacked, output = rng.standard_normal((12, 4)), rng.standard_normal((4, 4))
    state = {
        "block.attention.in_proj_weight": stacked,
        "block.attention.in_proj_bias": np.zeros(12),
        "block.attention.out_proj.weight": output,
        "block.attention.out_proj.bias": np.zeros(4),
        "head.weight": SECOND,
    }
    found = spectral_complexity(state)
    query, key, value = np.split(stacked, 3)
    plain = spectral_complexity([Attention(query, key, value, output), SECOND])
    assert found.complexity == pytest.approx(plain.complexity, rel=1e-13)
    assert found.layers == ("block.attention.scores", "block.attention.values", "head.weight")


def test_weights_of_torch():
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.BatchNorm2d(3), torch.nn.Flatten()
    )
    state = network.state_dict()
    found = spectral_complexity(state, shape=(6, 5))
    kernel = fold_normalization(state["0.weight"].numpy(), np.ones(3), np.ones(3))
    assert found.complexity == pytest.approx(
        spectral_complexity([kernel], shape=(6, 5)).complexity, rel=1e-12
    )


def test_results_are_kept(tmp_path):
    found = spectral_complexity({"a": FIRST, "b": SECOND})
    loaded = SpectralComplexity.load(found.save(tmp_path / "found.npz"))
    assert loaded.layers == ("a", "b")
    np.testing.assert_array_equal(loaded.contributions, found.contributions)


@pytest.mark.parametrize(
    ("weights", "more", "error", "message"),
    [
        ([], {}, DomainError, "holds no layer"),
        ([np.ones(3)], {}, DomainError, r"one output: shape \(1, N\)"),
        ({}, {}, DomainError, "holds no layer"),
        ("file", {}, DomainError, "must be an array, a sequence"),
        (3, {}, DomainError, "must be an array, a sequence"),
        ([FIRST, np.ones((2, 2, 2, 2, 2))], {}, DataError, r"1 has shape \(2, 2, 2, 2, 2\)"),
        ([FIRST, np.full((2, 2), 1e101)], {}, DataError, "not finite, or beyond"),
        ([FIRST, np.full((2, 2), np.nan)], {}, DataError, "1 holds numbers that are not finite"),
        ([FIRST, np.zeros((2, 2))], {}, DataError, "layer 1 is zero"),
        ([FIRST * 1j], {}, DataError, "cannot be read as an array of numbers"),
        ([[["a"]]], {}, DataError, "cannot be read as an array of numbers"),
        (
            {"w": OnDevice()},
            {},
            DataError,
            "w cannot be read .* device tensor.*; move it to the CPU",
        ),
        ([FIRST, SECOND], {"lipschitz": 0}, DomainError, "lipschitz = 0"),
        ([FIRST, SECOND], {"lipschitz": [1, 1, 1]}, DomainError, "one for each of the 2 layers"),
        ([FIRST], {"reference": [SECOND]}, DomainError, "must have the same layers"),
        ([FIRST], {"convolution": "circular"}, DomainError, "convolution = 'circular'"),
        ([FIRST], {"norm": "l3"}, DomainError, "norm = 'l3'"),
        ([KERNEL], {}, DomainError, "shape = None must be given"),
        ([KERNEL], {"shape": (2, 5)}, DomainError, "must be at least the kernel of layer 0"),
        ([KERNEL], {"shape": (6,)}, DomainError, r"must be \(rows, columns\)"),
        ([KERNEL], {"shape": (6.5, 5)}, DomainError, "shape = 6.5"),
        ([1e99 * np.eye(2)] * 8, {}, DomainError, "beyond floating-point numbers"),
        (
            {"n.weight": np.ones(2), "n.running_var": np.ones(2)},
            {},
            DataError,
            "not those of the layer before it",
        ),
    ],
)
def test_refusals(weights, more, error, message):
    with pytest.raises(error, match=message):
        spectral_complexity(weights, **more)


def test_convolutions_beyond_memory_are_refused(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1KB")
    for mode in ("operator", "zero"):
        with pytest.raises(ResourceError, match="use convolution='reshape'"):
            spectral_complexity([np.ones((9, 9, 3, 3))], convolution=mode, shape=(6, 5))
