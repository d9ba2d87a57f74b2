"""A parser of mathematical text: arithmetic, powers and the usual functions. Nothing is ever evaluated.

The grammar, from loose to tight, with powers associating to the right:

    sum     = product { ("+" | "-") product }
    product = sign { ("*" | "/") sign }
    sign    = { "+" | "-" } power
    power   = atom [ ("**" | "^") sign ]
    atom    = number | name | function "(" sum { "," sum } ")" | "(" sum ")"

Numbers are exact: 0.6 is 3/5. ``pi`` is the only constant; ``E``, ``e`` and ``I`` are names like all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import sympy

__all__ = ["FUNCTIONS", "parse", "parse_names"]

#: The functions that text may hold, each of one argument.
FUNCTIONS: dict[str, Callable[[sympy.Expr], sympy.Expr]] = {
    **{name: getattr(sympy, name) for name in (
        "exp", "log", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "tanh",
        "asin", "acos", "atan", "asinh", "acosh", "atanh", "erf", "sign",
    )},
    "abs": sympy.Abs,
    "ln": sympy.log,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
}  # fmt: skip

MAX_LENGTH = 100_000
MAX_DEPTH = 150
MAX_BITS = 10_000

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<operator>\*\*|[-+*/^(),])|(?P<end>$))"
)
_NAME = re.compile(r"[^\W\d]\w*\Z")
_RANGE = re.compile(r"([^\W\d]\w*?)([0-9]+):([0-9]+)\Z")


def parse(text: str, *, symbols: Mapping[str, sympy.Symbol] | None = None) -> sympy.Expr:
    """The SymPy expression that `text` spells.

    Parameters
    ----------
    text : str
    symbols : mapping from name to sympy.Symbol, optional
        Symbols to use for names; all others become plain ``Symbol(name)``.

    Raises
    ------
    TypeError
        If `text` is no string.
    ValueError
        If it does not parse, is too long or too deeply nested, or holds a number that is infinite or too
        large to be written down.

    Examples
    --------
    >>> from bea.systems.parsing import parse
    >>> parse("(0.6 - a*b)^2 / 2")
    (-a*b + 3/5)**2/2
    """
    if not isinstance(text, str):
        raise TypeError(f"an expression to parse must be text, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the expression is longer than the {MAX_LENGTH} characters that are accepted")
    return _Parser(text, symbols or {}).parse()


class _Parser:
    """Recursive descent over one text; sums and products are loops, so only nesting recurses."""

    def __init__(self, text: str, symbols: Mapping[str, sympy.Symbol]) -> None:
        self.text = text
        self.symbols = symbols
        self.position = 0
        self.depth = 0
        self.advance()

    def parse(self) -> sympy.Expr:
        expression = self.sum()
        if self.kind != "end":
            hint = ": write * between factors" if self.kind in ("number", "name") or self.token == "(" else ""
            raise self.error(f"expected an operator but found {self.token!r}{hint}")
        return expression

    # -- tokens ----------------------------------------------------------------------------------------

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            self.start = len(self.text) - len(self.text[self.position :].lstrip())
            raise self.error(f"the character {self.text[self.start]!r} has no meaning here")
        self.kind = str(match.lastgroup)
        self.token = match[self.kind]
        self.start = match.start(self.kind)
        self.position = match.end()

    def accept(self, *tokens: str) -> str | None:
        if self.kind == "operator" and self.token in tokens:
            token = self.token
            self.advance()
            return token
        return None

    def error(self, reason: str) -> ValueError:
        shown = self.text if len(self.text) <= 60 else self.text[max(0, self.start - 30) : self.start + 30]
        return ValueError(f"cannot read {shown!r} at column {self.start + 1}: {reason}")

    # -- grammar ---------------------------------------------------------------------------------------

    def sum(self) -> sympy.Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"parentheses and powers are nested deeper than {MAX_DEPTH}")
        terms = [self.product()]
        while operator := self.accept("+", "-"):
            term = self.product()
            terms.append(term if operator == "+" else -term)
        self.depth -= 1
        return self.checked(sympy.Add(*terms))

    def product(self) -> sympy.Expr:
        factors = [self.sign()]
        while operator := self.accept("*", "/"):
            factor = self.sign()
            if operator == "/" and factor == 0:
                raise self.error("division by zero")
            factors.append(factor if operator == "*" else 1 / factor)
        numbers = [f for f in factors if f.is_Rational]
        if sum(_bits(n) for n in numbers) > MAX_BITS:
            raise self.error(f"a number has more than {MAX_BITS} binary digits")
        return self.checked(sympy.Mul(*factors))

    def sign(self) -> sympy.Expr:
        negative = False
        while operator := self.accept("+", "-"):
            negative ^= operator == "-"
        power = self.power()
        return -power if negative else power

    def power(self) -> sympy.Expr:
        base = self.atom()
        if not self.accept("**", "^"):
            return base
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"parentheses and powers are nested deeper than {MAX_DEPTH}")
        exponent = self.sign()
        self.depth -= 1
        if exponent.is_Rational and _bits(exponent) > 32:
            raise self.error("the exponent is too large")
        if base.is_Rational and exponent.is_Rational and _bits(base) * abs(exponent) > MAX_BITS:
            raise self.error(f"a number has more than {MAX_BITS} binary digits")
        if base == 0 and exponent.is_negative:
            raise self.error("division by zero")
        return self.checked(base**exponent)

    def atom(self) -> sympy.Expr:
        kind, token = self.kind, self.token
        if kind == "number":
            return self.number()
        if kind == "name":
            return self.name()
        if self.accept("("):
            expression = self.sum()
            if not self.accept(")"):
                raise self.error("expected a closing parenthesis")
            return expression
        found = "the text ends" if kind == "end" else f"found {token!r}"
        raise self.error(f"expected a number, a name or a parenthesis, but {found}")

    def number(self) -> sympy.Expr:
        mantissa, _, exponent = self.token.lower().partition("e")
        if len(mantissa) > MAX_BITS // 4 or len(exponent) > 5 or abs(int(exponent or 0)) > MAX_BITS // 4:
            raise self.error(f"a number has more than {MAX_BITS} binary digits")
        value = sympy.Rational(mantissa) * sympy.Integer(10) ** int(exponent or 0)
        self.advance()
        return value

    def name(self) -> sympy.Expr:
        name = self.token
        if name not in FUNCTIONS or name in self.symbols:
            self.advance()
            if self.token == "(" and self.kind == "operator":
                raise self.error(
                    f"{name!r} is no function that is known here (write * between factors); "
                    f"there are {', '.join(sorted(FUNCTIONS))}"
                )
            if name in self.symbols:
                return self.symbols[name]
            return sympy.pi if name == "pi" else sympy.Symbol(name)
        self.advance()
        if not self.accept("("):
            raise self.error(f"the function {name!r} needs an argument in parentheses")
        argument = self.sum()
        if not self.accept(")"):
            raise self.error(f"expected a closing parenthesis: {name!r} takes one argument")
        return self.checked(FUNCTIONS[name](argument))

    def checked(self, value: sympy.Expr) -> sympy.Expr:
        """`value`, unless it is infinite or undefined."""
        if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise self.error("the expression is infinite or undefined")
        return value


def _bits(number: sympy.Rational) -> int:
    return int(max(abs(number.p).bit_length(), number.q.bit_length()))


def parse_names(
    names: str | sympy.Symbol | Sequence[str | sympy.Symbol], what: str = "variables"
) -> tuple[sympy.Symbol, ...]:
    """Symbols for "a b", "a, b", "w1:4" (w1 w2 w3), or for a sequence of names and symbols.

    Raises
    ------
    TypeError
        If an entry is neither text nor a symbol.
    ValueError
        If there is none, one is no name, or one occurs twice.

    Examples
    --------
    >>> from bea.systems.parsing import parse_names
    >>> parse_names("a, w1:4")
    (a, w1, w2, w3)
    """
    if isinstance(names, sympy.Symbol):
        names = [names]
    if not isinstance(names, str | Sequence):
        raise TypeError(f"{what} are given as text or as a sequence of names, not as {type(names).__name__}")
    entries = re.split(r"[,\s]+", names.strip(" ,\n\t")) if isinstance(names, str) else names
    symbols: list[sympy.Symbol] = []
    for entry in entries:
        if isinstance(entry, sympy.Symbol):
            symbols.append(entry)
        elif not isinstance(entry, str):
            raise TypeError(f"{what} are named by text or SymPy symbols, not by {type(entry).__name__}")
        elif match := _RANGE.match(entry):
            first, last = int(match[2]), int(match[3])
            if last - first > MAX_LENGTH:
                raise ValueError(f"{entry!r} names more than {MAX_LENGTH} {what}")
            symbols += [sympy.Symbol(f"{match[1]}{i}") for i in range(first, last)]
        elif entry == "" and isinstance(names, str):
            continue
        elif not _NAME.match(entry) or entry in FUNCTIONS or entry == "pi":
            raise ValueError(f"{entry!r} cannot name one of the {what}: a name is letters, digits and _")
        else:
            symbols.append(sympy.Symbol(entry))
    if not symbols:
        raise ValueError(f"at least one name is needed for the {what}")
    seen = [s.name for s in symbols]
    if twice := {n for n in seen if seen.count(n) > 1}:
        raise ValueError(f"{min(twice)!r} is named twice among the {what}")
    return tuple(symbols)
