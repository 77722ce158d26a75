"""Reading what a person typed: formulas, arithmetic in positive symbols and nothing else; and numbers with a letter for their size."""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import DomainError, refusal
from .letters import greek_name

if TYPE_CHECKING:
    import sympy

_ALLOWED = "use numbers, names, + - * / **, parentheses and sqrt, exp, log"
_NO_NAMES = ("inf", "infinity", "nan", "oo")
_MAX_LENGTH, _MAX_POWER, _MAX_NUMBER, _MAX_BITS = 2000, 10_000, 1e300, 10_000


def parse_expression(text: str, argument: str = "text") -> sympy.Expr:
    """Read a formula.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / **``, parentheses, and ``sqrt``, ``exp``, ``log``. Decimals are read exactly: 0.1 is 1/10.
    argument : str
        Name of the caller's argument, for error messages.

    Returns
    -------
    Expr
        A SymPy expression whose symbols are positive.

    Raises
    ------
    DomainError
        If the text contains anything else; the message quotes it. Nothing is ever executed.

    Examples
    --------
    >>> parse_expression("A*N**-a + 0.5*D")
    A/N**a + D/2
    """
    if not isinstance(text, str):
        raise refusal(argument, text, "must be text, a formula")
    if len(text) > _MAX_LENGTH:
        raise refusal(
            argument,
            text,
            f"has {len(text)} characters; at most {_MAX_LENGTH} are read",
            shown=False,
        )
    if "^" in text:
        raise refusal(argument, text, ": write ** for powers, not ^")
    try:
        text = text.strip()
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        raise refusal(argument, text, f"is not a formula{_cure(text)}") from None
    try:
        return _build(tree, text, argument)
    except RecursionError:
        raise refusal(argument, text, "is nested too deeply", shown=False) from None


def spelled_out(name: str) -> str:
    """Write the Greek letters of a name as words, as symbols are named everywhere.

    Parameters
    ----------
    name : str
        As a person typed it.

    Returns
    -------
    str
        The same name in the letters of a keyboard.

    Examples
    --------
    >>> spelled_out("α_p"), spelled_out("Σ"), spelled_out("N")
    ('alpha_p', 'Sigma', 'N')
    """
    return "".join(greek_name(sign) or sign for sign in unicodedata.normalize("NFKC", name))


_SIZES = {"K": 3, "M": 6, "B": 9, "G": 9, "T": 12}
_SIZED = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,4}))?([KMBGT])", re.IGNORECASE)
_POWER_OF_TEN = re.compile(r"(?:([+-]?(?:\d+\.?\d*|\.\d+))[*x×·])?10(?:\*\*|\^)([+-]?\d{1,4})")


def spelled_number(text: str) -> str:
    """Write a number as programs read it: K, M, B or G, and T stand for thousands to trillions, 10^21 and 3*10**9 are powers of ten.

    Parameters
    ----------
    text : str
        As a person typed it.

    Returns
    -------
    str
        The same number; any other text as it is.

    Examples
    --------
    >>> spelled_number("7B"), spelled_number("1.4T"), spelled_number("3*10^9"), spelled_number("0.5")
    ('7e9', '1.4e12', '3e9', '0.5')
    """
    if found := _SIZED.fullmatch(text):
        return f"{found[1]}e{int(found[2] or 0) + _SIZES[found[3].upper()]}"
    if found := _POWER_OF_TEN.fullmatch(text):
        return f"{found[1] or 1}e{int(found[2])}"
    return text


_SIGNS = {
    "−": "-",
    "–": "-",
    "×": "*",
    "·": "*",
    "⋅": "*",
    "∗": "*",
    "÷": "/",
    "²": "**2",
    "³": "**3",
    "√": "sqrt()",
}


def _cure(text: str) -> str:
    """Say what may be wrong with a text that cannot be read."""
    for word in re.findall(r"[^\W\d]\w*", text):
        if keyword.iskeyword(word):
            return f": {word!r} is a reserved word; use another name, as {word[:3]}"
    for sign in text:
        if not sign.isascii() and not sign.isalpha():
            written = f"; write {_SIGNS[sign]}" if sign in _SIGNS else ""
            return f": {sign!r} is no sign that is read{written}"
    if found := re.search(
        r"((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![eE][-+]?\d)([^\W\d_]\w*)", text
    ):
        return f": write {_product(found[1], found[2])} for a product"
    if found := re.fullmatch(r"\w+(?:\s+\w+)+", text):
        return f": write {'*'.join(text.split())} for a product"
    return f"; {_ALLOWED}"


def _product(number: str, name: str) -> str:
    """Write a product with its signs; capitals that follow each other may be one name, or several."""
    whole = f"{number}*{name}"
    several = name.isalpha() and name.isupper() and len(name) > 1
    return f"{'*'.join((number, *name))} (or {whole})" if several else whole


def _build(node: ast.expr, text: str, argument: str) -> Any:
    """Build an expression bottom-up; refuse the first part that is no finite real number."""
    import sympy as sp

    found = _value(node, text, argument)
    if found.has(sp.zoo, sp.nan, sp.oo, sp.I) or found.is_extended_real is False:
        raise refusal(argument, text, f": {ast.unparse(node)} is not a finite real number")
    return found


def _number(value: float, digits: str) -> Any:
    """Read a number digit by digit; None if it lies beyond what is handled."""
    import sympy as sp

    if isinstance(value, int):
        return sp.Integer(value) if abs(value) < _MAX_NUMBER else None
    digits = digits.replace("_", "").lower()
    if not any(digit in "123456789" for digit in digits.partition("e")[0]):
        return sp.S.Zero
    return sp.Rational(digits) if 1 / _MAX_NUMBER < value < _MAX_NUMBER else None


def _value(node: ast.expr, text: str, argument: str) -> Any:
    import sympy as sp

    operations: dict[type, Callable[[Any, Any], Any]] = {
        ast.Add: lambda a, b: a + b,
        ast.Sub: lambda a, b: a - b,
        ast.Mult: lambda a, b: a * b,
        ast.Div: lambda a, b: a / b,
    }
    functions = {"sqrt": sp.sqrt, "exp": sp.exp, "log": sp.log}

    def refuse(what: str) -> DomainError:
        return refusal(argument, text, f": {what}")

    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            number = _number(value, ast.get_source_segment(text, node) or "")
            if number is None:
                size = "large" if value > 1 else "small"
                raise refuse(f"the number {ast.get_source_segment(text, node)} is too {size}")
            return number
        case ast.Name(id=name):
            if name.lower() in _NO_NAMES:
                raise refuse(f"{name!r} is neither a finite number nor the name of a symbol")
            return sp.Symbol(spelled_out(name), positive=True)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_build(operand, text, argument)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _build(operand, text, argument)
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            base, power = _build(left, text, argument), _build(right, text, argument)
            if power.is_number and abs(power) > _MAX_POWER:
                raise refuse(f"the power {power} exceeds {_MAX_POWER}")
            if (
                base.is_Rational
                and power.is_number
                and abs(power) * max(base.p.bit_length(), base.q.bit_length()) > _MAX_BITS
            ):
                raise refuse(f"the number {ast.unparse(node)} is too long")
            return base**power
        case ast.BinOp(op=operator, left=left, right=right) if type(operator) in operations:
            one, two = _build(left, text, argument), _build(right, text, argument)
            if isinstance(operator, ast.Div) and two == 0:
                raise refuse("division by zero")
            return operations[type(operator)](one, two)
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in functions:
            return functions[name](_build(inner, text, argument))
    raise refuse(f"{ast.unparse(node)!r} is not allowed; {_ALLOWED}")
