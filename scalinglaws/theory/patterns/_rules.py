r"""The rules of the pattern engine: what each assignment of patterns to layers costs.

Heuristic scaling arguments, good for exponents. After every layer each tracked feature :math:`He_k` has an eigenvalue
:math:`\lambda_l[k]`, a monomial in the sizes and in the free parameters of the layers so far. A layer is lazy, or pays for carrying
one feature: few neurons specialize on it, or all inflate their variance along it.

In general M neurons carry a feature with amplitude u, at a cost :math:`M u^2/\lambda` for an
eigenvalue :math:`M u^{2j}/N` of what the activation makes of it in order j. For j > 1 a larger
amplitude buys more than more neurons do, so that one of two holds: M neurons at u = 1 (S) or, where
less than one of those would be best, a single one at u < 1 (S1), as in layers narrower than the input.
For the same reason inflating all neurons (G) is never cheaper than both; for j = 1 all are equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import sympy as sp

from ...arguments import choice, flag, instance, whole
from ...errors import refusal
from ...reprs import short_repr
from ..balance import Power, TropicalProgram
from ._architectures import Architecture, Attention, transfer_order

KINDS = ("GP", "S1", "S", "G")
MEANINGS = {
    "GP": "GP: lazy",
    "S1": "S1(k): one neuron specializes on degree k, with amplitude u",
    "S": "S(k): M neurons specialize on degree k, with amplitude 1",
    "G": "G(k): all neurons inflate their variance along degree k by beta",
    "softmax": "softmax: the attention scores form the pattern, of squared strength epsilon2",
}
"""What a layer does, by kind."""
_LETTERS = {"S1": "u", "S": "M", "G": "beta"}  # of the free parameter
_ONE, _NONE = Fraction(1), Fraction(0)


@short_repr
@dataclass(frozen=True)
class LayerPattern:
    """What one layer does.

    Attributes
    ----------
    kind : {"GP", "S1", "S", "G", "softmax"}
        Lazy; one neuron specializes, with amplitude u; M of them do, with amplitude one; all neurons learn the feature as
        Gaussians; the attention pattern forms.
    feature : int or None
        Degree of the feature that the layer carries; None if it is lazy.
    """

    kind: str
    feature: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no layer does."""
        choice("kind", self.kind, (*KINDS, "softmax"))
        if (self.feature is None) != (self.kind in ("GP", "softmax")):
            raise refusal(
                "feature", self.feature, "must be a degree for S1, S and G, None for GP and softmax"
            )
        if self.feature is not None:
            whole("feature", self.feature)

    def __str__(self) -> str:
        return self.kind if self.feature is None else f"{self.kind}({self.feature})"


@short_repr
@dataclass(frozen=True)
class Pattern:
    """An assignment of patterns to the layers of an architecture.

    Attributes
    ----------
    architecture : Architecture or Attention
        What the pattern belongs to.
    layers : tuple of LayerPattern
        From input to output.
    purity : bool
        Whether features must also be clean: what is learned off target must not exceed the target.

    Examples
    --------
    >>> from scalinglaws.theory.patterns import enumerate_patterns, fully_connected
    >>> [str(pattern) for pattern in enumerate_patterns(fully_connected([1], 3))]
    ['GP', 'S1(1)', 'S(1)', 'G(1)']
    """

    architecture: Architecture | Attention
    layers: tuple[LayerPattern, ...]
    purity: bool = False

    def __post_init__(self) -> None:
        """Refuse layers that are not those of the architecture."""
        instance("architecture", self.architecture, Architecture, Attention)
        instance("layers", self.layers, tuple)
        flag("purity", self.purity)
        attention = isinstance(self.architecture, Attention)
        kinds = ("GP", "softmax") if attention else KINDS
        depth = self.architecture.depth if isinstance(self.architecture, Architecture) else 1
        if len(self.layers) != depth or not all(
            isinstance(layer, LayerPattern) and layer.kind in kinds for layer in self.layers
        ):
            raise refusal(
                "layers",
                self.layers,
                f"must be {depth} of LayerPattern, of kinds {', '.join(kinds)}",
            )
        if isinstance(self.architecture, Architecture) and self.layers not in _possible(
            _structure(self.architecture)
        ):
            raise refusal("layers", self.layers, "must carry features that arrive there")

    def __str__(self) -> str:
        return " ".join(map(str, self.layers))

    @property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """Free parameters by layer: u, the amplitude of a neuron; M, the number of neurons; beta, the inflation of the variance."""
        if isinstance(self.architecture, Attention):
            return (
                (sp.Symbol("epsilon2", positive=True),) if self.layers[0].kind == "softmax" else ()
            )
        found = []
        for number, layer in enumerate(self.layers, start=1):
            if letter := _LETTERS.get(layer.kind):
                name = letter if len(self.layers) == 1 else f"{letter}_{number}"
                found.append(sp.Symbol(name, positive=True))
        return tuple(found)

    @cached_property
    def program(self) -> TropicalProgram:
        """The cost and its bounds, in exponents."""
        if isinstance(self.architecture, Attention):
            return _attention_program(self.layers[0].kind)
        return _program(_structure(self.architecture), self.layers, self.purity)

    @property
    def rank(self) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
        """Order among patterns of equal cost: fewer free M and beta first, then GP < S1 < S < G layer by layer."""
        kinds = (*KINDS, "softmax")
        return (
            sum(layer.kind in ("S", "G", "softmax") for layer in self.layers),
            tuple(kinds.index(layer.kind) for layer in self.layers),
            tuple(layer.feature or 0 for layer in self.layers),
        )


@dataclass(frozen=True)
class _Structure:
    """What of an architecture decides its patterns: everything but the sizes."""

    depth: int
    degree: int
    activation: str
    tracked: tuple[int, ...]
    shared: bool


def _structure(architecture: Architecture) -> _Structure:
    shared = architecture.weight_sharing
    return _Structure(
        architecture.depth,
        architecture.degree,
        architecture.activation,
        architecture.tracked,
        shared,
    )


def enumerate_patterns(
    architecture: Architecture | Attention, *, purity: bool = False
) -> tuple[Pattern, ...]:
    """List every assignment of patterns to layers by which a network can express its target.

    Parameters
    ----------
    architecture : Architecture or Attention
        What is described.
    purity : bool
        Whether features must also be clean; see `sample_complexity`.

    Returns
    -------
    tuple of Pattern
        Layer by layer GP, then S1, S and G for every feature that has arrived there.

    Examples
    --------
    >>> from scalinglaws.theory.patterns import fully_connected
    >>> len(enumerate_patterns(fully_connected([1, 1], 3)))
    28
    """
    instance("architecture", architecture, Architecture, Attention)
    flag("purity", purity)
    if isinstance(architecture, Attention):
        return tuple(
            Pattern(architecture, (LayerPattern(kind),), purity) for kind in ("GP", "softmax")
        )
    return tuple(
        Pattern(architecture, layers, purity) for layers in _assignments(_structure(architecture))
    )


@lru_cache(maxsize=256)
def _assignments(structure: _Structure) -> tuple[tuple[LayerPattern, ...], ...]:
    def extend(
        chosen: tuple[LayerPattern, ...], present: frozenset[int]
    ) -> Iterator[tuple[LayerPattern, ...]]:
        if len(chosen) == structure.depth:
            if structure.degree in present:
                yield chosen
            return
        for kind in KINDS:
            for feature in (None,) if kind == "GP" else sorted(present):
                layer = LayerPattern(kind, feature)
                yield from extend(
                    (*chosen, layer),
                    frozenset(
                        k for k in structure.tracked if _source(structure, layer, present, k)
                    ),
                )

    return tuple(extend((), frozenset({1})))


@lru_cache(maxsize=256)
def _possible(structure: _Structure) -> frozenset[tuple[LayerPattern, ...]]:
    return frozenset(_assignments(structure))


def _source(
    structure: _Structure, layer: LayerPattern, present: frozenset[int], k: int
) -> tuple[int, int, bool] | None:
    """Say where a feature after a layer comes from: degree before it, transfer order, and whether the layer carried it."""
    if layer.feature is not None and (
        order := transfer_order(layer.feature, k, structure.activation)
    ):
        return layer.feature, order, True
    if k in present and transfer_order(k, k, structure.activation):
        return k, 1, False
    for lower in sorted(present):
        if order := transfer_order(lower, k, structure.activation):
            return lower, order, False
    return None


@lru_cache(maxsize=8192)
def _program(
    structure: _Structure, layers: tuple[LayerPattern, ...], purity: bool
) -> TropicalProgram:
    free = [number for number, layer in enumerate(layers) if layer.kind in _LETTERS]
    total = structure.depth + 2  # widths, fan-in, patches

    def power(sizes: dict[int, int], parameter: int | None = None, order: int = 1) -> Power:
        powers = [_NONE] * len(free)
        if parameter is not None:
            powers[free.index(parameter)] = Fraction(order)
        return Power(tuple(Fraction(sizes.get(index, 0)) for index in range(total)), tuple(powers))

    fan_in, patches = structure.depth, structure.depth + 1
    copies = power({} if structure.shared else {patches: 1})
    eigenvalue = {1: power({fan_in: -1})}
    passed: dict[int, frozenset[int]] = {1: frozenset()}
    terms: list[Power] = []
    caps: list[Power] = []

    def use(k: int) -> Power:
        """Read a feature through the random neurons it passed: what comes with it must not exceed it."""
        if purity:
            caps.extend(eigenvalue[k] ** -1 * power({number: -1}) for number in sorted(passed[k]))
        return eigenvalue[k]

    for number, layer in enumerate(layers):
        if layer.feature is not None:
            before = use(layer.feature)
            if layer.kind == "G":
                terms.append(power({number: 1}, number) * copies)
                caps.append(power({}, number, -1))
                if structure.activation != "linear":
                    caps.append(before * power({}, number))
            elif layer.kind == "S":
                terms.append(before**-1 * power({}, number) * copies)
                caps += [power({}, number, -1), power({number: -1}, number)]
            else:
                terms.append(before**-1 * power({}, number, 2) * copies)
                caps += [before * power({}, number, -2), power({}, number)]
        after, through = {}, {}
        for k in structure.tracked:
            source = _source(structure, layer, frozenset(eigenvalue), k)
            if source is None:
                continue
            start, order, by_layer = source
            if by_layer:
                after[k] = {
                    "G": (eigenvalue[start] * power({}, number)) ** order,
                    "S": power({number: -1}, number),
                    "S1": power({number: -1}, number, 2 * order),
                }[layer.kind]
                through[k] = frozenset({number})
            else:
                after[k] = eigenvalue[start] ** order
                through[k] = passed[start] | {number}
        eigenvalue, passed = after, through
    terms.append(use(structure.degree) ** -1 * power({patches: 1}))
    return TropicalProgram(tuple(terms), tuple(dict.fromkeys(caps)))


def _attention_program(kind: str) -> TropicalProgram:
    """Write the cost of the softmax pattern in the square of its score, or that of the lazy head."""
    if kind == "GP":
        return TropicalProgram((Power((_ONE, 2 * _ONE, 2 * _ONE), ()),))
    score = Power((_NONE, 2 * _ONE, _NONE), (_ONE,))
    value = Power((_ONE, _NONE, 2 * _ONE), (-_ONE,))
    saturation = Power(
        (_NONE, _NONE, _NONE), (_ONE,)
    )  # beyond, softmax picks its largest score; a power of the logarithm of L is dropped
    return TropicalProgram((score, value), (saturation,))
