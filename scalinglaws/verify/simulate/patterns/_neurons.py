"""Metropolis moves of the weights of many neurons that interact through the variance of the alignment alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....solvers import _jit
from .._counter import uniform
from .._normal import normal

Array = NDArray[np.float64]

_ONE = np.uint64(1)
_LARGE = -0.5 * math.log(2)  # log of a weight that counts as specialized
_FARTHEST, _NEAREST = (
    2.0,
    6.0,
)  # logarithms: of the largest weight, and of the prior's deviation over the smallest
_SHORTEST, _LONGEST = (
    -3.0,
    0.5,
)  # logarithms of squared lengths across the target, over the prior's mean
_SCALES = 7.0  # natural logarithm between the largest and the smallest step
_SPREAD = 0.1  # of a new specialized weight's logarithm around the others'
_TRIES, _MOST_TRIES = 2, 40  # exchanges of each sweep: per neuron, and at most
_MOST_MEMBERS = 1000
_FAR = 20.0  # where the tail of the normal law is a series


@_jit.njit
def log_tail(x: float) -> float:
    """Return the log of the probability that a standard normal number exceeds x."""
    if x < _FAR:
        return math.log(0.5 * math.erfc(x / math.sqrt(2.0)))
    s = 1 / (x * x)
    series = -s * (1 - 3 * s * (1 - 5 * s * (1 - 7 * s)))
    return -0.5 * x * x - math.log(x * math.sqrt(2 * math.pi)) + math.log1p(series)


@_jit.njit
def _energy(variance: float, level: float, ridge: float) -> float:
    """Return minus the log of the probability of the event (ridge 0), or of data that show the alignment with that much noise.

    Of data, the square of `level` is the scale by which variance and noise are divided.
    """
    if ridge == 0.0:
        return -log_tail(level / math.sqrt(variance))
    return 0.5 * level * level / (variance + ridge) + 0.5 * math.log1p(variance / ridge)


@_jit.njit
def square(r: float, rest: float, strength: float, degree: int) -> float:
    """Return the squared overlap of a neuron of squared weight r along the target and the squared length `rest` across it.

    Degree 0 is a linear neuron.
    """
    if degree == 0:
        return strength * r
    return float(strength * (r / (1 + 2 * rest + 2 * r)) ** degree)


@_jit.njit
def _log_length(log: float, width: float) -> float:
    """Return the log density with which the logarithm of a length is proposed: about that of the prior, or any."""
    near = math.exp(-0.5 * (log / width) ** 2) / (width * math.sqrt(2 * math.pi))
    if _SHORTEST <= log <= _LONGEST:
        near += 1 / (_LONGEST - _SHORTEST)
    return math.log(0.5 * near + 1e-300)


@_jit.njit
def _exchange(
    logs: Array,
    across: Array,
    squares: Array,
    members: NDArray[np.int64],
    state: Array,
    given: tuple[float, float, float, int, float, float, float],
    key: np.uint64,
    counter: np.uint64,
) -> np.uint64:
    """Let neurons join or leave the specialized ones, which grow or shrink together to make up for it."""
    precision, directions, strength, degree, share, level, ridge = given
    n = logs.size
    free = directions >= 1
    width = math.sqrt(2 / max(directions, 1.0))
    count = 0
    for i in range(n):
        if logs[i] > _LARGE:
            if count < members.size:
                members[count] = i
            count += 1
    if count >= members.size:
        return counter
    # as many tries whether they succeed or not: to stop at a success would favor what is easily left
    for _ in range(min(_TRIES * n, _MOST_TRIES)):
        joins = uniform(key, counter) < 0.5
        counter += _ONE
        place, own = uniform(key, counter), 0
        counter += _ONE
        if joins:
            i, others = min(int(place * n), n - 1), count
            if logs[i] > _LARGE or count == 0 or count == members.size:
                continue
        else:
            if count < 2:
                continue
            own = min(int(place * count), count - 1)
            i, others = members[own], count - 1
        shift = uniform(key, counter) / others
        counter += _ONE
        if joins:
            shift = -shift
        mean = 0.0
        for j in range(count):
            if members[j] != i:
                mean += logs[members[j]]
        mean /= others
        noise = normal(key, counter)
        counter += _ONE
        if joins:
            new = mean + shift + _SPREAD * noise
            large, small, center = new, logs[i], mean + shift
        else:
            new = math.log(abs(noise) / math.sqrt(precision) + 1e-300)
            large, small, center = logs[i], new, mean
        if (new > _LARGE) != joins:
            continue
        length, lengthened = across[i], 0.0
        if free:  # large neurons have shorter weights across the target
            lengthened = uniform(key, counter) / others
            noise = normal(key, counter + _ONE)
            counter += _ONE + _ONE
            middle = 0.0
            for j in range(count):
                if members[j] != i:
                    middle += across[members[j]]
            middle /= others
            if joins:
                middle += lengthened
                length = middle + _SPREAD * noise
                of_large, of_small = length, across[i]
            else:
                length = width * noise
                lengthened = -lengthened
                of_large, of_small = across[i], length
        log_large = -0.5 * ((large - center) / _SPREAD) ** 2 - math.log(
            _SPREAD * math.sqrt(2 * math.pi)
        )
        log_small = (
            0.5 * math.log(2 * precision / math.pi) - 0.5 * precision * math.exp(2 * small) + small
        )
        # from the joining's proposal to the leaving's
        balance = log_small - math.log(others + 1.0) - log_large + math.log(float(n))
        if free:
            balance += -0.5 * (of_small / width) ** 2 - math.log(width)
            balance += 0.5 * ((of_large - middle) / _SPREAD) ** 2 + math.log(_SPREAD)
        gain = balance if joins else -balance
        gain += -0.5 * precision * (math.exp(2 * new) - math.exp(2 * logs[i])) + new - logs[i]
        total = state[0] - squares[i]
        total += square(math.exp(2 * new), math.exp(length), strength, degree)
        if free:
            gain += 0.5 * directions * (length - across[i])
            gain -= 0.5 * precision * (math.exp(length) - math.exp(across[i]))
        fits = True
        for j in range(count):
            other = members[j]
            if other == i:
                continue
            moved = logs[other] + shift
            fits = moved > _LARGE
            if not fits:
                break
            r = math.exp(2 * moved)
            rest = math.exp(across[other] + lengthened)
            gain += -0.5 * precision * (r - math.exp(2 * logs[other])) + shift
            if free:
                gain += 0.5 * directions * lengthened
                gain -= 0.5 * precision * (rest - math.exp(across[other]))
            total += square(r, rest, strength, degree) - squares[other]
        if not fits or not total > 0:
            continue
        energy = _energy(share * total, level, ridge)
        chance = uniform(key, counter)
        counter += _ONE
        if math.log(1 - chance) < gain + state[1] - energy:
            for j in range(count):
                other = members[j]
                if other != i:
                    logs[other] += shift
                    across[other] += lengthened
                    r = math.exp(2 * logs[other])
                    squares[other] = square(r, math.exp(across[other]), strength, degree)
            logs[i], across[i] = new, length
            squares[i] = square(math.exp(2 * new), math.exp(across[i]), strength, degree)
            state[0], state[1] = total, energy
            if joins:
                members[count] = i
                count += 1
            else:
                count -= 1
                members[own] = members[count]
    return counter


@_jit.njit
def walk(
    logs: Array,
    across: Array,
    squares: Array,
    precision: float,
    directions: float,
    strength: float,
    degree: int,
    share: float,
    level: float,
    ridge: float,
    burn: int,
    key: np.uint64,
    found: Array,
) -> None:
    """Sweep over all neurons, `burn` times and then once per row of `found`, and fill in the variance, how many
    specialize, and the mean square and fourth power of weights along the target.

    ``logs`` holds the logarithm of each neuron's weight along the target, whose prior is normal of the given precision, and
    ``across`` that of the squared length of its other weights, of as many ``directions``; with less than one of these it is held.
    ``squares`` are the squared overlaps, which times ``share`` add up to the variance of the alignment.
    """
    n = logs.size
    members = np.empty(min(n + 1, _MOST_MEMBERS), np.int64)
    state = np.empty(2)
    state[0] = squares.sum()
    state[1] = _energy(share * state[0], level, ridge)
    given = (precision, directions, strength, degree, share, level, ridge)
    lowest = -0.5 * math.log(precision) - _NEAREST
    highest = max(_FARTHEST, 5.0 - 0.5 * math.log(precision))
    free = directions >= 1
    width = math.sqrt(2 / max(directions, 1.0))
    counter = np.uint64(0)
    for sweep in range(burn + len(found)):
        for i in range(n):
            kind, first, balance = uniform(key, counter), uniform(key, counter + _ONE), 0.0
            counter += _ONE + _ONE
            new, length = logs[i], across[i]
            if kind < 0.25:  # anywhere
                if new < lowest:
                    continue
                new = lowest + (highest - lowest) * first
                if free:  # with any length across the target, since large neurons have shorter ones
                    second = uniform(key, counter)
                    if second < 0.5:
                        length = width * normal(key, counter + _ONE)
                    else:
                        length = _SHORTEST + 2 * (second - 0.5) * (_LONGEST - _SHORTEST)
                    counter += _ONE + _ONE
                    balance = _log_length(across[i], width) - _log_length(length, width)
            elif kind < 0.75 or not free:  # steps of all scales
                new += math.exp(-_SCALES * first) * normal(key, counter)
                counter += _ONE
                if new > highest:
                    continue
            else:
                length += 2 * width * math.exp(-2 * first) * normal(key, counter)
                counter += _ONE
            r, rest = math.exp(2 * new), math.exp(length)
            own = square(r, rest, strength, degree)
            total = state[0] + (own - squares[i])
            if not total > 0:
                continue
            energy = _energy(share * total, level, ridge)
            gain = state[1] - energy + new - logs[i] + balance
            gain -= 0.5 * precision * (r - math.exp(2 * logs[i]))
            if free:
                gain += 0.5 * directions * (length - across[i])
                gain -= 0.5 * precision * (rest - math.exp(across[i]))
            chance = uniform(key, counter)
            counter += _ONE
            if math.log(1 - chance) < gain:
                logs[i], across[i], squares[i] = new, length, own
                state[0], state[1] = total, energy
        state[0] = squares.sum()  # free of what rounding has added up
        state[1] = _energy(share * state[0], level, ridge)
        if degree > 1:  # else there is no threshold
            counter = _exchange(logs, across, squares, members, state, given, key, counter)
        if sweep >= burn:
            count, second, fourth = 0, 0.0, 0.0
            for i in range(n):
                count += logs[i] > _LARGE
                r = math.exp(2 * logs[i])
                second += r
                fourth += r * r
            found[sweep - burn, 0], found[sweep - burn, 1] = share * state[0], count
            found[sweep - burn, 2], found[sweep - burn, 3] = second / n, fourth / n
