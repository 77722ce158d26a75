"""Numbers as people read them: in text, in formulas, on pages and in pictures.

Text keeps to plain characters, so that it can be searched and typed again (``2.5e-07``, ``0.31 +- 0.02``); what is typeset
has powers of ten and true minus signs. JSON and CSV hold full precision and use none of this.
"""

from __future__ import annotations

import math

MINUS = "−"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DECIMALS = 6  # beyond, a power of ten is easier to read


# -- plain text ---------------------------------------------------------------------------------------------------------


def visible(text: str) -> str:
    r"""Write out what a terminal would obey instead of showing it: control characters, and those that turn the direction of text.

    Examples
    --------
    >>> print(visible("run\x1b[31m 7"))
    run\x1b[31m 7
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def number(value: float, digits: int = 10) -> str:
    """Write a number with at most so many significant digits.

    Examples
    --------
    >>> number(0.1 + 0.2), number(1e12), number(2 / 3, 4), number(-math.inf)
    ('0.3', '1e+12', '0.6667', '-inf')
    """
    return f"{value:.{digits}g}"


def short(value: float) -> str:
    """Write a number in few characters: four digits, two from 1e5 on.

    Examples
    --------
    >>> short(0.66667), short(1e8), short(2.5e12), short(math.inf)
    ('0.6667', '1.0e8', '2.5e12', 'inf')
    """
    if abs(value) < 1e5:
        return number(value, 4)
    return f"{value:.1e}".replace("e+0", "e").replace("e+", "e")


def scientific(value: float, digits: int = 2) -> str:
    """Write a size in few characters: with a power of ten from 1e4 on and below 0.001, else to three digits.

    Examples
    --------
    >>> scientific(4.4123e7), scientific(1e19), scientific(873.2), scientific(0.602), scientific(2.5e-5)
    ('4.4e7', '1e19', '873', '0.602', '2.5e-5')
    """
    if 1e-3 <= abs(value) < 1e4 or value == 0:
        return number(value, max(digits, 3)) if abs(value) < 1000 else f"{value:.0f}"
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(power)}"


def decimals(error: float, digits: int = 2) -> int | None:
    """Count the decimals that show an error to so many digits; None without an error, or beyond six.

    Examples
    --------
    >>> decimals(0.0142), decimals(35.0), decimals(1e-9), decimals(0.0)
    (3, 0, None, None)
    """
    if not 0 < error < math.inf:
        return None
    places = max(digits - 1 - math.floor(math.log10(error)), 0)
    return places if places <= _MOST_DECIMALS else None


def uncertain(value: float, error: float, *, brackets: bool = False) -> str:
    """Write a number with its standard error, to the second digit of the error.

    Parameters
    ----------
    value, error : float
        The number and its error; without an error (not finite) the number alone.
    brackets : bool
        Write the error of the last digits in brackets instead, where it has decimals.

    Returns
    -------
    str
        For example ``"2.959 +- 0.014"``, or ``"2.959(14)"``.

    Examples
    --------
    >>> uncertain(2.95873, 0.0142), uncertain(2.95873, 0.0142, brackets=True), uncertain(5.0, 0.0)
    ('2.959 +- 0.014', '2.959(14)', '5 +- 0')
    >>> uncertain(12345.6, 230.0), uncertain(1e-9, 2e-10), uncertain(0.25, math.inf)
    ('12346 +- 230', '1e-09 +- 2e-10', '0.25')
    >>> uncertain(0.31160768, 1.5e-7)
    '0.31160768 +- 1.5e-07'
    """
    if not math.isfinite(error):
        return number(value, 4)
    places = decimals(error)
    if places is None or not abs(value) < 1e6:
        digits = 2
        if 0 < error < abs(value) < math.inf:
            digits += math.floor(math.log10(abs(value))) - math.floor(math.log10(error))
        return f"{number(value, min(digits, 15))} +- {number(error, 2)}"
    if brackets:
        return f"{value:.{places}f}({error * 10**places:.0f})"
    return f"{value:.{places}f} +- {error:.{places}f}"


def duration(seconds: float) -> str:
    """Write a time.

    Examples
    --------
    >>> duration(0.03), duration(3.21), duration(41.3), duration(754)
    ('below 0.1 s', '3.2 s', '41 s', '754 s')
    """
    if seconds < 0.1:
        return "below 0.1 s"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


# -- typeset ------------------------------------------------------------------------------------------------------------


def parts(value: float, digits: int = 4, *, plain: bool = True) -> tuple[str, int | None]:
    """Split a number into digits and a power of ten.

    Parameters
    ----------
    value : float
        Any, also infinite.
    digits : int
        Significant digits.
    plain : bool
        Write numbers between 1e-3 and 1e5 without a power.

    Returns
    -------
    mantissa : str
        With a true minus sign; ``"1"`` stands for a bare power of ten.
    power : int or None
        None for plain numbers, zero and infinity.

    Examples
    --------
    >>> parts(0.25), parts(1e8), parts(-2.5e-7), parts(math.inf)
    (('0.25', None), ('1', 8), ('−2.5', -7), ('∞', None))
    """
    if math.isinf(value):
        return (MINUS if value < 0 else "") + "∞", None
    if value == 0 or math.isnan(value):
        return ("0" if value == 0 else "not a number"), None
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    if plain and -3 <= int(power) < 5:
        places = max(digits - 1 - int(power), 0)
        written = f"{value:.{places}f}"
        return minus(written.rstrip("0").rstrip(".") if places else written), None
    return minus(mantissa.rstrip("0").rstrip(".")), int(power)


def minus(written: str) -> str:
    """Put true minus signs into a written number."""
    return written.replace("-", MINUS)


def typeset(value: float, digits: int = 4, *, plain: bool = True) -> str:
    """Write a number with true characters; ordinary numbers with a power of ten too unless `plain`.

    Examples
    --------
    >>> typeset(2.5e-7), typeset(1e8), typeset(0.5)
    ('2.5·10⁻⁷', '10⁸', '0.5')
    """
    mantissa, power = parts(value, digits, plain=plain)
    if power is None:
        return mantissa
    return product(mantissa, "·") + f"10{str(power).translate(_SUPERSCRIPT)}"


def html(value: float, digits: int = 4) -> str:
    """Write a number as HTML.

    Examples
    --------
    >>> html(2.5e-7), html(1e8), html(math.inf)
    ('<span class="n">2.5·10<sup>−7</sup></span>', '<span class="n">10<sup>8</sup></span>', '∞')
    """
    mantissa, power = parts(value, digits)
    if power is None:
        return mantissa
    return f'<span class="n">{product(mantissa, "·")}10<sup>{minus(str(power))}</sup></span>'


def latex(value: float, digits: int = 6, *, plain: bool = True) -> str:
    r"""Write a number for a formula, without dollar signs; ordinary numbers with a power of ten too unless `plain`.

    Examples
    --------
    >>> print(latex(2.5e-7), latex(1e8), latex(0.5), latex(2e4, plain=False))
    2.5\cdot10^{-7} 10^{8} 0.5 2\cdot10^{4}
    """
    mantissa, power = parts(value, digits, plain=plain)
    mantissa = mantissa.replace(MINUS, "-").replace("∞", r"\infty")
    return mantissa if power is None else product(mantissa, r"\cdot") + f"10^{{{power}}}"


def percent(share: float, digits: int = 3) -> str:
    """Write a share in percent.

    Examples
    --------
    >>> percent(0.05), percent(-0.0123)
    ('5 %', '−1.23 %')
    """
    return minus(f"{number(100 * share, digits)} %")


def product(mantissa: str, sign: str) -> str:
    """Write what stands before a power of ten, with the sign of a product: nothing instead of one."""
    return {"1": "", "-1": "-", MINUS + "1": MINUS}.get(mantissa, mantissa + sign)
