"""A modified equation as text, LaTeX, Python source and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sympy

from bea import __version__
from bea.modified import ModifiedEquation
from bea.modified.description import described, equation_text, shortest
from bea.systems import Game, Loss, LossSum, SplitField, System
from bea.systems.expressions import STEP_SIZE

__all__ = ["FORMATS", "to_json", "to_latex", "to_python", "to_text"]


def to_text(equation: ModifiedEquation, modifying: bool = False) -> str:
    """Plain text: the equation by powers of h, then the modified loss and what is no gradient in it.

    Parameters
    ----------
    equation : ModifiedEquation
    modifying : bool
        Whether it came out of `bea.modifying_integrator`.
    """
    return equation_text(equation, modifying, elsewhere="--format json")


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


def step_size_first(parameters: tuple[sympy.Symbol, ...]) -> list[sympy.Symbol]:
    """h, whether or not it occurs, and then the other parameters."""
    return [STEP_SIZE, *(p for p in parameters if p != STEP_SIZE)]
