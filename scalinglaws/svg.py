"""Scalable vector graphics, in a few functions: elements, ticks and axes.

Colors and fonts belong to the page: elements carry classes, no styles. The same input gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from .formatting import minus, parts, product
from .reprs import short_repr


def element(tag: str, *children: str, **attributes: str | float) -> str:
    """Write an element.

    Parameters
    ----------
    tag : str
        Its name.
    *children : str
        Markup inside, escaped already.
    **attributes : str or float
        Escaped here; a trailing underscore is dropped and others become hyphens; numbers keep two decimals.

    Returns
    -------
    str
        Markup.

    Examples
    --------
    >>> element("line", x1=0, x2=1 / 3, class_="axis", stroke_width=2)
    '<line x1="0" x2="0.33" class="axis" stroke-width="2"/>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value) if isinstance(value, str) else coordinate(value)}"'
        for name, value in attributes.items()
    )
    inner = "".join(children)
    return f"<{tag}{written}>{inner}</{tag}>" if inner else f"<{tag}{written}/>"


def coordinate(value: float) -> str:
    """Write a coordinate with at most two decimals."""
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def label(words: str, x: float, y: float, **attributes: str | float) -> str:
    """Write plain words at a point; they are escaped here."""
    return element("text", escape(words, quote=False), x=x, y=y, **attributes)


def polyline(points: Iterable[tuple[float, float]], **attributes: str | float) -> str:
    """Draw a line through points."""
    return element(
        "path",
        d="M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points),
        **attributes,
    )


def bars(ends: Iterable[tuple[float, float, float]], **attributes: str | float) -> str:
    """Draw vertical bars, each given by its x and both values of y, as one path."""
    return element(
        "path",
        d="".join(
            f"M{coordinate(x)} {coordinate(low)}V{coordinate(high)}" for x, low, high in ends
        ),
        **attributes,
    )


def arrow(x: float, y: float, direction: str, **attributes: str | float) -> str:
    """Draw a small filled arrowhead whose tip is at a point: what lies beyond the edge of a plot."""
    across, along = {
        "left": ((0, 4), (6, 0)),
        "right": ((0, 4), (-6, 0)),
        "up": ((4, 0), (0, 6)),
        "down": ((4, 0), (0, -6)),
    }[direction]
    corners = [
        (x, y),
        (x + along[0] + across[0], y + along[1] + across[1]),
        (x + along[0] - across[0], y + along[1] - across[1]),
    ]
    return element(
        "path",
        d="M" + "L".join(f"{coordinate(a)} {coordinate(b)}" for a, b in corners) + "Z",
        **attributes,
    )


def number_svg(value: float, digits: int = 3, *, as_power: bool = False) -> str:
    """Write a number as the inside of a text element, its power raised.

    Parameters
    ----------
    value : float
        What to write.
    digits : int
        Significant digits.
    as_power : bool
        Write a power of ten as such also where plain digits would be short.

    Returns
    -------
    str
        Markup.
    """
    mantissa, power = ("1", round(math.log10(value))) if as_power else parts(value, digits)
    if power is None:
        return mantissa
    raised = element("tspan", minus(str(power)), dy="-.42em", class_="power")
    return product(mantissa, "·") + "10" + raised


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Choose round numbers between two limits.

    Parameters
    ----------
    low, high : float
        Limits, low < high.
    count : int
        About how many.

    Returns
    -------
    list of float
        Multiples of 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> linear_ticks(-0.061, 0.061, 4)
    [-0.05, 0.0, 0.05]
    """
    raw = (high - low) / count
    power = math.floor(math.log10(raw))
    step, power = next(
        (m, power) if m < 10 else (1, power + 1)
        for m in (1, 2, 5, 10)
        if m * 10.0**power >= 0.75 * raw
    )  # up to a third more ticks than asked for, rather than half as many
    width = step * 10.0**power
    first, last = math.ceil(low / width - 1e-9), math.floor(high / width + 1e-9)
    return [round(k * width, max(-power, 0)) + 0.0 for k in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int = 6) -> tuple[list[float], list[float], bool]:
    """Choose ticks of a logarithmic axis.

    Parameters
    ----------
    low, high : float
        Limits, 0 < low < high.
    count : int
        At most about how many labels.

    Returns
    -------
    major : list of float
        With labels: powers of ten if the range holds three or more; else 1, 2 and 5 times those; else round numbers.
    minor : list of float
        Without labels.
    powers : bool
        Whether the major ticks are powers of ten.

    Examples
    --------
    >>> log_ticks(0.5, 2e4)[0]
    [1.0, 10.0, 100.0, 1000.0, 10000.0]
    >>> log_ticks(80, 240)[0]
    [100.0, 150.0, 200.0]
    """
    bottom, top = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if top - bottom >= 2:
        stride = math.ceil((top - bottom + 1) / count)
        major = [_decade(k) for k in range(bottom, top + 1) if k % stride == 0]
        if stride == 1:
            return (
                major,
                _within(
                    [m * _decade(k) for k in range(bottom - 1, top + 1) for m in range(2, 10)],
                    low,
                    high,
                ),
                True,
            )
        return major, [_decade(k) for k in range(bottom, top + 1) if k % stride], True
    steps = _within(
        [m * _decade(k) for k in range(bottom - 1, top + 1) for m in (1, 2, 5)], low, high
    )
    minor = _within(
        [m * _decade(k) for k in range(bottom - 1, top + 1) for m in range(1, 10)], low, high
    )
    if len(steps) >= 3:
        return steps, [tick for tick in minor if tick not in steps], False
    round_numbers = linear_ticks(low, high, 4)
    return (
        round_numbers,
        [tick for tick in linear_ticks(low, high, 15) if tick not in round_numbers],
        False,
    )


def _decade(power: int) -> float:
    return float(f"1e{power}")


def _within(ticks: Iterable[float], low: float, high: float) -> list[float]:
    return [
        float(f"{tick:.12g}") for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)
    ]


@short_repr
@dataclass(frozen=True)
class Axis:
    """A map from values to coordinates.

    Attributes
    ----------
    low, high : float
        Limits; positive if `log`.
    start, stop : float
        Their coordinates; for a vertical axis `start` is the larger.
    log : bool
        Logarithmic.

    Examples
    --------
    >>> Axis(1, 100, 0, 50, log=True)(10)
    25.0
    """

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value, which may lie beyond the limits; of values without a logarithm, one far below."""
        if self.log:
            if value <= 0:
                return self.start - 10 * (self.stop - self.start)
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        # far outside is as good as infinitely far, and keeps coordinates short
        return self.start + min(max(share, -10.0), 10.0) * (self.stop - self.start)

    def ticks(self, count: int = 5) -> tuple[list[tuple[float, str]], list[float]]:
        """Return labeled ticks (value, markup of the label) and ticks without labels."""
        major, minor, powers = (
            log_ticks(self.low, self.high, count)
            if self.log
            else (linear_ticks(self.low, self.high, count), [], False)
        )
        for digits in range(3, 16):  # as many as it takes to tell neighbors apart
            labels = [number_svg(tick, digits, as_power=powers) for tick in major]
            if len(set(labels)) == len(labels):
                break
        return list(zip(major, labels, strict=True)), minor


def padded(values: Sequence[float], share: float, *, log: bool) -> tuple[float, float]:
    """Return limits that leave a share of the range free on both sides.

    Examples
    --------
    >>> padded([1, 100], 0.5, log=True)
    (0.1, 1000.0)
    """
    low, high = min(values), max(values)
    if log:
        factor = (high / low) ** share
        if factor < 1.01:
            factor = 1.2 if high / low < 1.01 else factor
        return low / factor, high * factor
    margin = (high - low) * share or abs(high) * 0.2 or 1.0
    return low - margin, high + margin
