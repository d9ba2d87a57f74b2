"""A modified equation in words and formulas: what is printed for it, on the command line and by ``print``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

from bea.schemes.parts import PartScheme
from bea.schemes.scheme import Scheme
from bea.systems import Game, Loss, LossSum, SplitField, System, as_field

if TYPE_CHECKING:
    from bea.modified.equation import ModifiedEquation
    from bea.modified.modified_loss import ModifiedLoss

__all__ = ["described", "equation_text", "loss_text", "shortest"]

#: Sums of more terms than this are printed as they are, not factored.
_FACTORED = 60

#: Expressions of more characters than this are not printed.
READABLE = 2000


def equation_text(equation: ModifiedEquation, modifying: bool = False, elsewhere: str = ".terms") -> str:
    """The equation by powers of h, then the modified loss and what is no gradient in it.

    Parameters
    ----------
    equation : ModifiedEquation
    modifying : bool
        Whether it came out of `bea.modifying_integrator`.
    elsewhere : str
        Where expressions that are too long to be read are found.
    """
    kind, given = described(equation.system)
    source = equation.scheme.name if isinstance(equation.scheme, Scheme) else repr(equation.scheme)
    claim = "follows the modified equation, whose coefficients of h**k are"
    if equation.memory.size:
        claim = (
            "follows, once its memory has forgotten its start, the modified equation whose coefficients of "
            "h**k are"
        )
    elif not isinstance(equation.scheme, Scheme):
        claim = "is the field whose coefficients of h**k are"
    if modifying:
        claim = (
            f"follows this system to O(h**{equation.order + 1}) on the field whose coefficients of h**k are"
        )
    paragraphs = [[f"{source} on the {kind}"], indented(given), [claim], field_lines(equation, elsewhere)]
    paragraphs += duration_paragraph(equation)
    if isinstance(equation.system, Loss):
        paragraphs += loss_paragraphs(equation.loss, elsewhere)
    return joined(paragraphs)


def loss_text(loss: ModifiedLoss, elsewhere: str = ".terms") -> str:
    """The modified loss by powers of h, and what is no gradient in the field."""
    return joined(loss_paragraphs(loss, elsewhere))


def described(system: System) -> tuple[str, list[str]]:
    """The kind of a system, and its definition in lines."""
    if isinstance(system, Game):
        given = [
            f"{', '.join(v.name for v in player)}:  L = {loss}" + (f",  rate {rate}" if rate != 1 else "")
            for player, loss, rate in zip(system.players, system.losses, system.rates, strict=True)
        ]
        return "game", given
    if isinstance(system, LossSum):
        return "sum of losses", [f"L_{i} = {p.expression}" for i, p in enumerate(system.parts, start=1)]
    if isinstance(system, Loss):
        return "loss", [f"E = {system.expression}"]
    if isinstance(system, SplitField):
        parts = [", ".join(map(str, part.components)) for part in system.parts]
        return "sum of vector fields", [f"f_{i} = ({part})" for i, part in enumerate(parts, start=1)]
    given = [f"d{v}/dt = {c}" for v, c in zip(system.variables, system.components, strict=True)]
    return "vector field", given


def duration_paragraph(equation: ModifiedEquation) -> list[list[str]]:
    """What time one step takes, where that is not h."""
    parts = len(as_field(equation.system).parts)
    if not isinstance(equation.scheme, Scheme) or (time := equation.scheme.duration(parts)) == 1:
        return []
    if time != parts:
        return [[f"One step takes the time {time} h."]]
    first = "E_0" if isinstance(equation.system, Loss) else "the coefficient of h**0"
    mean = (
        " is the mean of the parts" if isinstance(equation.scheme, PartScheme) else " belongs to their mean"
    )
    return [[f"One pass of {parts} steps takes the time {time} h, so that {first}{mean}."]]


def field_lines(equation: ModifiedEquation, elsewhere: str) -> list[str]:
    """One line for every power of h and variable."""
    lines = []
    for k, term in enumerate(equation.terms):
        power = f"h**{k}"
        for variable, component in zip(equation.system.variables, term, strict=True):
            lines.append(f"{power:<6}  d{variable}/dt:  {readable(component, elsewhere)}")
            power = ""
    return indented(lines)


def loss_paragraphs(loss: ModifiedLoss, elsewhere: str) -> list[list[str]]:
    """The modified loss by powers of h, and what it leaves out."""
    orders = range(loss.order + 1)
    exact = [f"h**{k}" for k in orders if loss.is_exact(k)]
    inexact = [k for k in orders if not loss.is_exact(k)]
    paragraphs = [
        ["The coefficients of the loss E_0 + h E_1 + h**2 E_2 + ... of this field are"],
        indented([f"E_{k} = {readable(loss.terms[k], elsewhere)}" for k in orders]),
    ]
    if not inexact:
        return [
            *paragraphs,
            [f"All coefficients of the field through h**{loss.order} are gradients, -grad E_k."],
        ]
    which = "No coefficient of the field is a gradient:"
    if exact:
        which = (
            f"The coefficients of {', '.join(exact)} in the field are gradients, -grad E_k. "
            f"Those of {', '.join(f'h**{k}' for k in inexact)} are not:"
        )
    centre = ", ".join(map(str, loss.origin))
    return [
        *paragraphs,
        [which, f"they are -grad E_k + R_k, with R_k orthogonal to the rays from ({centre}), where"],
        indented(
            [
                f"R_{k}, d{variable}/dt:  {readable(component, elsewhere)}"
                for k in inexact
                for variable, component in zip(loss.variables, loss.remainder[k], strict=True)
            ]
        ),
    ]


def readable(expression: sympy.Expr, elsewhere: str) -> str:
    """The expression in its shortest form, or how long it is and where it is found."""
    text = str(shortest(expression))
    if len(text) <= READABLE:
        return text
    return f"({len(text):,} characters; see {elsewhere})".replace(",", " ")


def shortest(expression: sympy.Expr) -> sympy.Expr:
    """The expression, factored where that makes it shorter and its sums are short."""
    sums = expression.atoms(sympy.Add)
    if not sums or max(len(total.args) for total in sums) > _FACTORED or expression.has(sympy.Integral):
        return expression
    factored = sympy.factor(expression)
    return min(factored, expression, key=lambda e: len(str(e)))


def indented(lines: list[str]) -> list[str]:
    """The lines, moved in by two blanks."""
    return [f"  {line}" for line in lines]


def joined(paragraphs: list[list[str]]) -> str:
    """Paragraphs of lines as one text."""
    return "\n\n".join("\n".join(lines) for lines in paragraphs)
