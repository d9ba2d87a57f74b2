"""The ring in which a system is worked, with the constants of a scheme and room for what its steps bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sympy

from bea.modified.flint_ring import FlintRing, NotElementaryError, RingFullError
from bea.modified.sympy_ring import SympyRing
from bea.systems.expressions import STEP_SIZE, require_smooth
from bea.systems.loss import Loss
from bea.systems.loss_sum import LossSum
from bea.systems.system import System, as_field

__all__ = ["check_names", "field_elements", "part_elements", "with_room", "working_ring"]

T = TypeVar("T")

#: For how many functions room is left in turn, in multiples of the dimension.
ROOMS = (0, 3, 12)


def working_ring(system: System, constants: Sequence[sympy.Expr], room: int = 0) -> tuple[Any, list[Any]]:
    """The ring that holds a system and the constants of a method, and the components of its field there.

    Raises
    ------
    TypeError, ValueError
        If the system is of another kind or not smooth, or the names of symbols clash.
    """
    sources = _sources(system)
    check_names(system.variables, sources, constants)
    require_smooth(sources, "the system of a modified equation")
    ring: Any
    try:
        ring = FlintRing(system.variables, [*sources, *constants], room)
    except NotElementaryError:
        ring = SympyRing(system.variables, [*sources, *constants])
    return ring, field_elements(ring, system)


def with_room(system: System, constants: Sequence[sympy.Expr], derive: Callable[[Any, list[Any]], T]) -> T:
    """`derive` with the working ring and the field in it, in a larger ring where it adjoins functions.

    A scheme such as Adam takes roots, which are no part of the system. In the last resort SymPy holds any.
    """
    dimension = as_field(system).dimension
    for room in ROOMS:
        try:
            return derive(*working_ring(system, constants, room * dimension))
        except RingFullError:
            continue
    ring = SympyRing(system.variables, [*_sources(system), *constants])
    return derive(ring, field_elements(ring, system))


def field_elements(ring: Any, system: System) -> list[Any]:
    """The components of the field of a system in its ring."""
    if isinstance(system, Loss):
        potential = ring.element(system.expression)
        return [-ring.partial(potential, i) for i in range(ring.dimension)]
    return [ring.element(c) for c in as_field(system).components]


def part_elements(ring: Any, system: System) -> list[list[Any]]:
    """The components of the fields of which a system is made, in its ring."""
    if isinstance(system, LossSum):
        return [field_elements(ring, part) for part in system.parts]
    return [[ring.element(c) for c in part.components] for part in as_field(system).parts]


def _sources(system: System) -> list[sympy.Expr]:
    if isinstance(system, LossSum):
        return [part.expression for part in system.parts]
    if isinstance(system, Loss):
        return [system.expression]
    field = as_field(system)
    return [c for part in field.parts or [field] for c in part.components]


def check_names(
    variables: Sequence[sympy.Symbol], sources: Sequence[sympy.Expr], constants: Sequence[sympy.Expr]
) -> None:
    """Refuse a symbol h of the user's, and a parameter of the scheme that the system has, too."""
    own = {v.name for v in variables}.union(*({s.name for s in e.free_symbols} for e in sources))
    others = {s.name for c in constants for s in c.free_symbols}
    if STEP_SIZE.name in own | others:
        raise ValueError("the symbol h is the step size of the modified equation: rename yours")
    if own & others:
        raise ValueError(
            f"the scheme's parameter {min(own & others)!r} is also a symbol of the system: rename one"
        )
