"""A parser of mathematical text: arithmetic, powers and the usual functions. Nothing is ever evaluated.

The grammar, from loose to tight, with powers associating to the right and binding tighter than signs:

    sum     = product { ("+" | "-") product }
    product = factor { ("*" | "/") factor }
    factor  = { "+" | "-" } atom [ ("**" | "^") factor ]
    atom    = number | name | function "(" sum ")" | "(" sum ")"

Numbers are exact: 0.6 is 3/5. ``pi`` (or ``π``) is the only constant; ``E``, ``e`` and ``I`` are names like
all others, because E is a loss here.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, NoReturn

import sympy

from bea.systems import bounded_arithmetic as bounded

__all__ = ["FUNCTIONS", "parse", "parse_names"]

#: The functions that text may hold, each of one argument.
FUNCTIONS: dict[str, Callable[[sympy.Expr], sympy.Expr]] = {
    **{name: getattr(sympy, name) for name in (
        "log", "sin", "cos", "tan", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh",
        "erf", "sign", "Abs",
    )},
    "exp": bounded.exp,
    "sinh": bounded.sinh,
    "cosh": bounded.cosh,
    "sqrt": lambda x: bounded.power(x, sympy.Rational(1, 2)),
    "cbrt": lambda x: bounded.power(x, sympy.Rational(1, 3)),
    "abs": sympy.Abs,
    "ln": sympy.log,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "sigmoid": lambda x: 1 / (1 + bounded.exp(-x)),
    "softplus": lambda x: sympy.log(1 + bounded.exp(x)),
}  # fmt: skip

CONSTANTS = {"pi": sympy.pi, "π": sympy.pi}

MAX_LENGTH = 100_000
MAX_DEPTH = 150
MAX_NAMES = 100_000


def parse(text: str, *, symbols: Mapping[str, sympy.Symbol] | None = None) -> sympy.Expr:
    """The SymPy expression that `text` spells.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * /``, powers as ``**`` or ``^``, parentheses, and calls of the `FUNCTIONS`.
        A product is written with ``*``: there is no implicit one.
    symbols : mapping from name to sympy.Symbol, optional
        Symbols to use for names; all others become plain ``Symbol(name)``.

    Returns
    -------
    sympy.Expr
        Decimals are exact (0.6 is 3/5). ``pi`` is a constant; ``E``, ``e`` and ``I`` are ordinary names.

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
    >>> parse("2x")
    Traceback (most recent call last):
    ...
    ValueError: cannot read '2x' at column 2: expected an operator but found 'x'; for a product write 2*x
    """
    if not isinstance(text, str):
        raise TypeError(f"an expression to parse must be text, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the expression is longer than the {MAX_LENGTH} characters that are accepted")
    if not isinstance(symbols, Mapping | None):
        raise TypeError(f"symbols must map names to SymPy symbols, not be a {type(symbols).__name__}")
    parser = _Parser(text, symbols or {})
    try:
        return parser.parse()
    except RecursionError:
        parser.fail("functions, parentheses and powers are nested too deeply")


#: The kinds of tokens that stand for a value by themselves.
VALUES = ("number", "name")

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<operator>\*\*|[-+*/^(),])|(?P<other>.)"
)


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


class _Parser:
    """Recursive descent over one text; sums and products are loops, so only nesting recurses."""

    def __init__(self, text: str, symbols: Mapping[str, sympy.Symbol]) -> None:
        self.text = text
        self.symbols = symbols
        self.depth = 0
        self.previous = self.token = _Token("start", "", 1)
        self.tokens = self.split()

    def parse(self) -> sympy.Expr:
        self.advance()
        expression = self.sum()
        if self.token.kind != "end":
            self.expect("an operator")
        return expression

    # -- tokens ----------------------------------------------------------------------------------------

    def split(self) -> Iterator[_Token]:
        """The tokens of the text, one after the other."""
        for match in _TOKEN.finditer(self.text):
            token = _Token(str(match.lastgroup), match[0], match.start() + 1)
            if token.kind == "other":
                self.fail(f"the character {token.text!r} has no meaning here", token)
            if token.kind == "name" and (flaw := _flaw(token.text)):
                self.fail(flaw.reason, _Token("name", token.text, token.column + flaw.position))
            if token.kind != "space":
                yield token
        yield _Token("end", "", len(self.text) + 1)

    def advance(self) -> _Token:
        """Step over the current token, and return it."""
        self.previous, self.token = self.token, next(self.tokens)
        return self.previous

    def accept(self, *operators: str) -> _Token | None:
        """Step over the current token if it is one of the operators."""
        return self.advance() if self.token.kind == "operator" and self.token.text in operators else None

    def expect(self, wanted: str, *operators: str) -> None:
        """Step over one of the operators; where none of them stands, say that `wanted` is missing."""
        if not self.accept(*operators):
            found = "the text ends" if self.token.kind == "end" else f"found {_brief(self.token.text)!r}"
            self.fail(f"expected {wanted} but {found}{self.hint()}")

    def hint(self) -> str:
        """How to write the product that two neighbours seem to be."""
        left, right = self.previous, self.token
        if (left.kind in VALUES or left.text == ")") and (right.kind in VALUES or right.text == "("):
            return f"; for a product write {_brief(left.text)}*{_brief(right.text)}"
        return ""

    def fail(self, reason: str, token: _Token | None = None) -> NoReturn:
        """Say what cannot be read, and where."""
        column = (token or self.token).column
        start = max(0, column - 31) if len(self.text) > 60 else 0
        excerpt = self.text[start : start + 60]
        shown = f"{'…' * (start > 0)}{excerpt}{'…' * (start + 60 < len(self.text))}"
        raise ValueError(f"cannot read {shown!r} at column {column}: {reason}")

    # -- grammar ---------------------------------------------------------------------------------------

    def sum(self) -> sympy.Expr:
        self.deepen()
        terms = [self.product()]
        while operator := self.accept("+", "-"):
            term = self.product()
            terms.append(term if operator.text == "+" else -term)
        self.depth -= 1
        return self.bounded(bounded.add, terms)

    def product(self) -> sympy.Expr:
        factors = [self.factor()]
        while operator := self.accept("*", "/"):
            factor = self.factor()
            if operator.text == "/":
                factor = self.bounded(bounded.power, factor, sympy.S.NegativeOne, at=operator)
            factors.append(factor)
        return self.bounded(bounded.multiply, factors) if len(factors) > 1 else factors[0]

    def factor(self) -> sympy.Expr:
        negative = False
        while sign := self.accept("+", "-"):
            negative ^= sign.text == "-"
        value = self.atom()
        if operator := self.accept("**", "^"):
            self.deepen()
            value = self.bounded(bounded.power, value, self.factor(), at=operator)
            self.depth -= 1
        return -value if negative else value

    def atom(self) -> sympy.Expr:
        if self.token.kind == "number":
            number = self.advance()
            return self.bounded(bounded.rational, number.text, at=number)
        if self.token.kind == "name":
            return self.name(self.advance())
        self.expect("a number, a name or a parenthesis", "(")
        return self.argument()

    def name(self, name: _Token) -> sympy.Expr:
        if name.text in self.symbols or name.text not in FUNCTIONS:
            if self.token.text == "(":
                shown = _brief(name.text)
                hint = f"for a product write {shown}*(, and the functions are {_functions()}"
                self.fail(f"{shown!r} is no function; {hint}", name)
            known = self.symbols if name.text in self.symbols else CONSTANTS
            return known[name.text] if name.text in known else sympy.Symbol(name.text)
        if not self.accept("("):
            self.fail(
                f"{name.text!r} is a function and needs '(' after it; the functions are {_functions()}", name
            )
        return self.bounded(bounded.apply, FUNCTIONS[name.text], self.argument(), at=name)

    def argument(self) -> sympy.Expr:
        """What stands in parentheses, of which the left one is passed already."""
        expression = self.sum()
        if self.token.text == ",":
            self.fail("expected ')' but found ',' (every function takes one argument)")
        self.expect("an operator or ')'", ")")
        return expression

    def deepen(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"parentheses and powers are nested deeper than {MAX_DEPTH}")

    def bounded(
        self, operation: Callable[..., sympy.Expr], *operands: object, at: _Token | None = None
    ) -> sympy.Expr:
        """The value of the operation; where its numbers grow too large, say so."""
        try:
            return operation(*operands)
        except ArithmeticError as error:
            self.fail(str(error), at)


def parse_names(
    names: str | sympy.Symbol | Sequence[str | sympy.Symbol], what: str = "variables"
) -> tuple[sympy.Symbol, ...]:
    """Symbols for "a b", "a, b", "w1:4" (w1 w2 w3), or for a sequence of names and symbols.

    Parameters
    ----------
    names : str, sympy.Symbol, or sequence of both
        Symbols are kept as they are, whatever their assumptions.
    what : str
        What is being named, for the sentences of the refusals.

    Returns
    -------
    tuple of sympy.Symbol

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
    entries = _SEPARATOR.split(names.strip().removesuffix(",").rstrip()) if isinstance(names, str) else names
    if len(entries) == 0 or entries == [""]:
        raise ValueError(f"at least one name is needed for the {what}")
    symbols = list(islice((s for entry in entries for s in _named(entry, what)), MAX_NAMES + 1))
    if len(symbols) > MAX_NAMES:
        raise ValueError(f"there are more than {MAX_NAMES} {what}")
    name, count = Counter(s.name for s in symbols).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{name!r} is named twice among the {what}")
    return tuple(symbols)


_SEPARATOR = re.compile(r"\s*,\s*|\s+")
_RANGE = re.compile(r"([^\W\d]\w*?)([0-9]{0,9}):([0-9]{1,9})")


def _named(entry: object, what: str) -> Iterator[sympy.Symbol]:
    """The symbols that one entry of a list of names stands for."""
    if isinstance(entry, sympy.Symbol):
        if not entry.is_commutative:
            raise ValueError(f"the {what} must commute, but {entry} does not")
        yield entry
        return
    if not isinstance(entry, str):
        raise TypeError(f"{what} are named by text or SymPy symbols, not by {type(entry).__name__}")
    match = _RANGE.fullmatch(entry)
    prefix = match[1] if match else entry
    if flaw := _flaw(prefix):
        raise ValueError(f"{_brief(entry)!r} cannot name one of the {what}: {flaw.reason}")
    if match:
        first, last = int(match[2] or 0), int(match[3])
        if first >= last:
            raise ValueError(f"{entry!r} names none of the {what}: a range runs up to its second number")
        yield from (sympy.Symbol(f"{prefix}{i}") for i in range(first, last))
    elif entry in FUNCTIONS or entry in CONSTANTS:
        raise ValueError(f"{entry!r} cannot name one of the {what}: it is a function or a constant")
    else:
        yield sympy.Symbol(entry)


class _Flaw(NamedTuple):
    position: int
    reason: str


def _flaw(name: str) -> _Flaw | None:
    """Why the text is no name, and from which character on; nothing if it is one."""
    for position, character in enumerate(name):
        if not f"a{character}".isidentifier():
            return _Flaw(position, f"the character {character!r} has no meaning here")
        plain = unicodedata.normalize("NFKC", character)
        if plain != character:
            return _Flaw(position, f"the character {character!r} is to be written {plain!r}")
    if not name.isidentifier():
        return _Flaw(0, "a name begins with a letter and goes on with letters, digits and _")
    return None


def _functions() -> str:
    return ", ".join(sorted(FUNCTIONS))


def _brief(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:29]}…"
