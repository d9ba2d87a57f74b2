"""A modified equation as text, LaTeX, Python source and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sympy

from bea import __version__
from bea.modified import ModifiedEquation
from bea.systems import Game, Loss, LossSum, SplitField, System
from bea.systems.expressions import STEP_SIZE

__all__ = ["FORMATS", "to_json", "to_latex", "to_python", "to_text"]

#: Sums of more terms than this are printed as they are, not factored.
_FACTORED = 60


def to_text(equation: ModifiedEquation, modifying: bool = False) -> str:
    """Plain text: the equation by powers of h, then the modified loss and what is no gradient in it.

    Parameters
    ----------
    equation : ModifiedEquation
    modifying : bool
        Whether it came out of `bea.modifying_integrator`.
    """
    system = equation.system
    kind, given = described(system)
    claim = "follows the modified equation, whose coefficients of h**k are"
    if equation.memory.size:
        claim = (
            "follows, once its memory has forgotten its start, the modified equation whose coefficients of "
            "h**k are"
        )
    if modifying:
        claim = (
            f"follows this system to O(h**{equation.order + 1}) on the field whose coefficients of h**k are"
        )
    paragraphs = [[f"{equation.scheme.name} on the {kind}"], indented(given), [claim], field_lines(equation)]
    if isinstance(system, Loss):
        paragraphs += loss_paragraphs(equation)
    return "\n\n".join("\n".join(lines) for lines in paragraphs)


def described(system: System) -> tuple[str, list[str]]:
    """The kind of a system, and its definition in lines."""
    if isinstance(system, Game):
        given = [
            f"{', '.join(v.name for v in player)}:  L = {loss}" + (f",  rate {rate}" if rate != 1 else "")
            for player, loss, rate in zip(system.players, system.losses, system.rates, strict=True)
        ]
        return "game", given
    if isinstance(system, LossSum):
        return "sum of losses", [f"E_{i} = {p.expression}" for i, p in enumerate(system.parts, start=1)]
    if isinstance(system, Loss):
        return "loss", [f"E = {system.expression}"]
    if isinstance(system, SplitField):
        parts = [", ".join(map(str, part.components)) for part in system.parts]
        return "sum of vector fields", [f"f_{i} = ({part})" for i, part in enumerate(parts, start=1)]
    given = [f"d{v}/dt = {c}" for v, c in zip(system.variables, system.components, strict=True)]
    return "vector field", given


def field_lines(equation: ModifiedEquation) -> list[str]:
    """One line for every power of h and variable."""
    lines = []
    for k, term in enumerate(equation.terms):
        power = f"h**{k}"
        for variable, component in zip(equation.system.variables, term, strict=True):
            lines.append(f"{power:<6}  d{variable}/dt:  {shortest(component)}")
            power = ""
    return indented(lines)


def loss_paragraphs(equation: ModifiedEquation) -> list[list[str]]:
    """The modified loss by powers of h, and what it leaves out."""
    loss = equation.loss
    orders = range(loss.order + 1)
    inexact = [k for k in orders if not loss.is_exact(k)]
    paragraphs = [
        ["The coefficients of the loss E_0 + h E_1 + h**2 E_2 + ... of this field are"],
        indented([f"E_{k} = {shortest(loss.terms[k])}" for k in orders]),
    ]
    if not inexact:
        return [
            *paragraphs,
            [f"All coefficients of the field through h**{loss.order} are gradients, -grad E_k."],
        ]
    powers = {k: f"h**{k}" for k in orders}
    centre = ", ".join(map(str, loss.origin))
    return [
        *paragraphs,
        [
            f"The coefficients of {', '.join(powers[k] for k in orders if k not in inexact)} in the field "
            f"are gradients, -grad E_k. Those of {', '.join(powers[k] for k in inexact)} are not:",
            f"they are -grad E_k + R_k, with R_k orthogonal to the rays from ({centre}), where",
        ],
        indented(
            [
                f"R_{k}, d{variable}/dt:  {shortest(component)}"
                for k in inexact
                for variable, component in zip(equation.system.variables, loss.remainder[k], strict=True)
            ]
        ),
    ]


def to_latex(equation: ModifiedEquation, modifying: bool = False) -> str:
    """Displayed equations for a LaTeX document with amsmath."""
    displays = [equation.latex()]
    if isinstance(equation.system, Loss):
        loss = equation.loss
        rows = [f"E_{{{k}}} &= {sympy.latex(shortest(loss.terms[k]))}" for k in range(loss.order + 1)]
        rows += [
            f"R_{{{k}}} &= {sympy.latex(loss.remainder[k].applyfunc(shortest))}"
            for k in range(loss.order + 1)
            if not loss.is_exact(k)
        ]
        displays.append(r"\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}")
    return "\n".join(f"\\[\n{display}\n\\]" for display in displays)


def to_python(equation: ModifiedEquation, modifying: bool = False) -> str:
    """A module that needs NumPy alone: the truncated field and, for a loss, the truncated modified loss."""
    from bea.numerics import generate_numpy_source

    field_kind = "modifying" if modifying else "modified"
    title = f'"""The {field_kind} field of {equation.scheme.name}, through h**{equation.order}."""'
    field = equation.field()
    functions = [(f"{field_kind}_field", list(field.components), field.parameter_symbols)]
    if isinstance(equation.system, Loss):
        loss = equation.loss.truncate()
        functions.append((f"{field_kind}_loss", loss.expression, loss.parameter_symbols))
    imports: set[str] = set()
    bodies = []
    for name, expressions, parameters in functions:
        source = generate_numpy_source(expressions, field.variables, step_size_first(parameters), name)
        head, _, body = source.partition("\n\n\n")
        imports.update(head.splitlines())
        bodies.append(body.rstrip())
    return "\n\n\n".join([f"{title}\n\n" + "\n".join(sorted(imports)), *bodies])


def to_json(equation: ModifiedEquation, modifying: bool = False) -> str:
    """JSON with SymPy expressions as text.

    ``terms[k][i]`` belongs to h**k and to variable i. For a loss, ``loss.terms[k]`` is E_k,
    ``loss.remainder[k]`` is R_k and ``loss.is_exact[k]`` tells whether the latter vanishes; else ``loss``
    is null.
    """
    system, loss = equation.system, None
    if isinstance(system, Loss):
        modified = equation.loss
        loss = {
            "terms": list(map(str, modified.terms)),
            "remainder": [list(map(str, remainder)) for remainder in modified.remainder],
            "is_exact": [modified.is_exact(k) for k in range(equation.order + 1)],
            "origin": list(map(str, modified.origin)),
        }
    document = {
        "bea": __version__,
        "kind": "modifying integrator" if modifying else "modified equation",
        "system": {
            **given_as(system),
            "variables": [v.name for v in system.variables],
            "parameters": [p.name for p in system.parameter_symbols],
        },
        "scheme": equation.scheme.name,
        "order": equation.order,
        "terms": [list(map(str, term)) for term in equation.terms],
        "memory": [list(map(str, term)) for term in equation.memory.terms] if equation.memory.size else None,
        "loss": loss,
    }
    return json.dumps(document, indent=2)


def given_as(system: System) -> dict[str, Any]:
    """The kind of a system and its expressions; those of a sum by parts, those of a game with its players."""
    kind = described(system)[0]
    if isinstance(system, Game):
        return {
            "kind": kind,
            "expressions": list(map(str, system.losses)),
            "players": [[v.name for v in player] for player in system.players],
            "rates": list(map(str, system.rates)),
        }
    if isinstance(system, LossSum):
        return {"kind": kind, "expressions": [str(part.expression) for part in system.parts]}
    if isinstance(system, Loss):
        return {"kind": kind, "expressions": [str(system.expression)]}
    if isinstance(system, SplitField):
        return {"kind": kind, "expressions": [list(map(str, part.components)) for part in system.parts]}
    return {"kind": kind, "expressions": list(map(str, system.components))}


FORMATS: dict[str, Callable[[ModifiedEquation, bool], str]] = {
    "text": to_text,
    "latex": to_latex,
    "python": to_python,
    "json": to_json,
}


def shortest(expression: sympy.Expr) -> sympy.Expr:
    """The expression, factored where that makes it shorter and its sums are short."""
    sums = expression.atoms(sympy.Add)
    if not sums or max(len(total.args) for total in sums) > _FACTORED or expression.has(sympy.Integral):
        return expression
    factored = sympy.factor(expression)
    return min(factored, expression, key=lambda e: len(str(e)))


def step_size_first(parameters: tuple[sympy.Symbol, ...]) -> list[sympy.Symbol]:
    """h, whether or not it occurs, and then the other parameters."""
    return [STEP_SIZE, *(p for p in parameters if p != STEP_SIZE)]


def indented(lines: list[str]) -> list[str]:
    """The lines, moved in by two blanks."""
    return [f"  {line}" for line in lines]
