"""``bea derive``: from text to a modified equation."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import Any

import sympy

from bea.cli.formats import FORMATS
from bea.cli.patience import patience
from bea.cli.usage import UsageError, user_input
from bea.modified import ModifiedEquation, modified_equation, modifying_integrator
from bea.schemes import Scheme, get_scheme
from bea.schemes.parametric import require_numbers
from bea.systems import Game, Loss, LossSum, SplitField, System, VectorField
from bea.systems.expressions import read_expression

__all__ = ["run"]


def run(arguments: Namespace) -> int:
    """Derive, and print in the format that was asked for."""
    with user_input(), patience("deriving"):
        equation = derive(arguments)
        text = FORMATS[arguments.format](equation, arguments.modifying_integrator)
    print(text)
    return 0


def derive(arguments: Namespace) -> ModifiedEquation:
    """The modified equation, or the modifying integrator, that the arguments describe."""
    system = read_system(arguments)
    scheme: Any = get_scheme(arguments.scheme or default_scheme(system))
    if shared := names_of(system) & names_of(scheme):
        what = "field" if isinstance(system, VectorField) else "loss"
        raise UsageError(
            f"{min(shared)!r} is a parameter of the {what} and of the scheme {scheme.name}: "
            f"rename the one in the {what}"
        )
    values = read_values(arguments.parameter)
    for name in values.keys() - names_of(system) - names_of(scheme):
        known = ", ".join(sorted(names_of(system) | names_of(scheme))) or "none"
        raise UsageError(f"{name!r} is no parameter of the expression or of the scheme, which have {known}")
    system = insert(system, {name: v for name, v in values.items() if name in names_of(system)})
    own = {name: v for name, v in values.items() if name in names_of(scheme)}
    if own:
        scheme = scheme.with_parameters(**own)
    method = modifying_integrator if arguments.modifying_integrator else modified_equation
    return method(system, scheme, arguments.order)


def default_scheme(system: System) -> str:
    """The name of the scheme where none is asked for."""
    if isinstance(system, Game):
        return "simultaneous-descent"
    return "gradient-descent" if isinstance(system, Loss) else "explicit-euler"


def read_system(arguments: Namespace) -> System:
    """The loss, the vector field, a sum of them, or the game of the arguments."""
    if arguments.players:
        players = [names(player) for player in arguments.players.split(";")]
        rates = arguments.rates.split(";") if arguments.rates else None
        losses = arguments.expression.split(";")
        if len(losses) > len(players) == 1:
            raise UsageError(
                f"{arguments.players!r} is one player, and there are {len(losses)} losses: players are "
                "parted by semicolons, as losses are"
            )
        return Game(losses, players, rates)
    if arguments.rates:
        raise UsageError("--rates are those of --players, and there are none")
    if not arguments.variables:
        raise UsageError("the variables are missing: give --variables, or --players for a game")
    variables = names(arguments.variables)
    parts = [part.split(";") for part in arguments.expression.split("|")]
    if arguments.vector_field or any(len(part) > 1 for part in parts):
        return SplitField(parts, variables) if len(parts) > 1 else VectorField(parts[0], variables)
    losses = [part[0] for part in parts]
    return LossSum(losses, variables) if len(losses) > 1 else Loss(losses[0], variables)


def names(text: str) -> list[str]:
    """The names in a text, parted by commas or blanks."""
    return re.split(r"[,\s]+", text.strip(" ,"))


def read_values(assignments: list[str]) -> dict[str, str]:
    """The names and values in texts such as ``"y=0.6"``."""
    values: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = (part.strip() for part in assignment.partition("="))
        if not (name and equals and value):
            raise UsageError(f"a parameter is given as NAME=VALUE, not as {assignment!r}")
        if values.setdefault(name, value) != value:
            raise UsageError(f"parameter {name!r} is given two values, {values[name]} and {value}")
        require_numbers(read_expression(value), f"the parameter {name}")
    return values


def names_of(bearer: System | Scheme) -> set[str]:
    """The names of the parameters of a system or of a scheme."""
    return {symbol.name for symbol in bearer.parameter_symbols}


def insert(system: System, values: dict[str, str]) -> System:
    """The system with exact numbers in the place of parameters."""
    exact = system.with_parameters(**values).parameters
    replacement = {s: exact[s.name] for s in system.parameter_symbols if s.name in exact}

    def inserted(expression: sympy.Expr) -> sympy.Expr:
        return expression.xreplace(replacement)

    if isinstance(system, Game):
        return Game(list(map(inserted, system.losses)), system.players, list(map(inserted, system.rates)))
    if isinstance(system, LossSum):
        return LossSum([inserted(part.expression) for part in system.parts], system.variables)
    if isinstance(system, Loss):
        return Loss(inserted(system.expression), system.variables)
    if isinstance(system, SplitField):
        parts = [list(map(inserted, part.components)) for part in system.parts]
        return SplitField(parts, system.variables)
    return VectorField(list(map(inserted, system.components)), system.variables)
