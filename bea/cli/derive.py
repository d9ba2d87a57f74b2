"""``bea derive``: from text to a modified equation."""

from __future__ import annotations

import re
from argparse import Namespace

import sympy

from bea.cli.formats import FORMATS
from bea.cli.usage import UsageError, user_input
from bea.modified import ModifiedEquation, modified_equation, modifying_integrator
from bea.schemes import RungeKutta, Scheme, get_scheme
from bea.systems import Loss, VectorField

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Derive, and print in the format that was asked for."""
    with user_input():
        equation = derive(arguments)
        text = FORMATS[arguments.format](equation, arguments.modifying_integrator)
    print(text)
    return 0


def derive(arguments: Namespace) -> ModifiedEquation:
    """The modified equation, or the modifying integrator, that the arguments describe."""
    system = read_system(arguments)
    default = "gradient-descent" if isinstance(system, Loss) else "explicit-euler"
    scheme = get_scheme(arguments.scheme or default)
    values = read_values(arguments.parameter)
    for name in values.keys() - names_of(system) - names_of(scheme):
        known = ", ".join(sorted(names_of(system) | names_of(scheme))) or "none"
        raise UsageError(f"{name!r} is no parameter of the expression or of the scheme, which have {known}")
    system = insert(system, {name: v for name, v in values.items() if name in names_of(system)})
    if isinstance(scheme, RungeKutta):
        scheme = scheme.with_parameters(**{n: v for n, v in values.items() if n in names_of(scheme)})
    method = modifying_integrator if arguments.modifying_integrator else modified_equation
    return method(system, scheme, arguments.order)


def read_system(arguments: Namespace) -> Loss | VectorField:
    """The loss, or the vector field, of the arguments."""
    variables = re.split(r"[,\s]+", arguments.variables.strip(" ,"))
    components = arguments.expression.split(";")
    if arguments.vector_field or len(components) > 1:
        return VectorField(components, variables)
    return Loss(arguments.expression, variables)


def read_values(assignments: list[str]) -> dict[str, str]:
    """The names and values in texts such as ``"y=0.6"``."""
    values: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = (part.strip() for part in assignment.partition("="))
        if not (name and equals and value):
            raise UsageError(f"a parameter is given as NAME=VALUE, not as {assignment!r}")
        if values.setdefault(name, value) != value:
            raise UsageError(f"parameter {name!r} is given two values, {values[name]} and {value}")
    return values


def names_of(bearer: Loss | VectorField | Scheme) -> set[str]:
    """The names of the parameters of a system or of a scheme."""
    return {symbol.name for symbol in getattr(bearer, "parameter_symbols", ())}


def insert(system: Loss | VectorField, values: dict[str, str]) -> Loss | VectorField:
    """The system with exact numbers in the place of parameters."""
    exact = system.with_parameters(**values).parameters
    replacement = {s: exact[s.name] for s in system.parameter_symbols if s.name in exact}

    def inserted(expression: sympy.Expr) -> sympy.Expr:
        return expression.xreplace(replacement)

    if isinstance(system, Loss):
        return Loss(inserted(system.expression), system.variables)
    return VectorField(list(map(inserted, system.components)), system.variables)
