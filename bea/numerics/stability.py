"""Local stability of an equilibrium: what the modified field predicts, and what the discrete map does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import sympy
from flint import acb, acb_mat, arb, arb_mat, ctx

from bea.modified.equation import modified_equation
from bea.numerics import arbitrary
from bea.numerics.balls import read_number
from bea.numerics.straight_line import straight_line
from bea.schemes.memory import memory_size
from bea.schemes.parametric import values_of
from bea.schemes.scheme import Scheme
from bea.systems.expressions import STEP_SIZE, read_parameters
from bea.systems.system import System, as_field
from bea.systems.traversal import free_symbols
from bea.systems.vector_field import VectorField

__all__ = ["LocalStability", "local_stability"]

#: Derivatives of the map are differences over 2**-BITS, taken with four times as many bits.
BITS = 160
#: A rate below this, per unit of time and relative to the largest eigenvalue, is none.
NEUTRAL = 1e-20
#: How far from an equilibrium, relative to its size, the point that is given for it may be.
NEAR = 1e-6


@dataclass(frozen=True, eq=False)
class LocalStability:
    """The linearizations of a scheme at an equilibrium, and those of the flows that should be like it.

    Attributes
    ----------
    x : array of shape (d,)
        The equilibrium.
    step_size : float
    order : int
        The highest power of h of the modified field.
    eigenvalues : array of complex, shape (d + r,)
        Of the Jacobian of one step, the memory of r numbers included; the largest modulus first.
    spectral_radius : float
        The largest modulus.
    modified_eigenvalues : array of complex, shape (d,)
        Of the Jacobian of the modified field; the largest real part first.
    ideal_eigenvalues : array of complex, shape (d,)
        Of the Jacobian of what the scheme follows for h → 0, which for plain play is the field itself.
    growth : float
        exp(h max Re μ) over the modified eigenvalues μ, for the time of one step: the predicted radius.
    rate, modified_rate, ideal_rate : float
        The rates of growth per unit of time: log(spectral radius)/time, and max Re μ of both fields. These
        keep their digits where the radius is 1 up to rounding.
    """

    x: np.ndarray
    step_size: float
    order: int
    scheme: str
    eigenvalues: np.ndarray
    spectral_radius: float
    modified_eigenvalues: np.ndarray
    ideal_eigenvalues: np.ndarray
    growth: float
    rate: float
    modified_rate: float
    ideal_rate: float

    @property
    def is_stable(self) -> bool:
        """Whether the iterates of the scheme near the equilibrium come closer: the spectral radius is < 1."""
        return self._state(self.rate) == "attracts"

    @property
    def agrees(self) -> bool:
        """Whether the modified field says the same as the discrete map: the equilibrium attracts, or repels.

        How near the two rates are is another matter, for which there are `rate` and `modified_rate`.
        """
        return self._state(self.rate) == self._state(self.modified_rate)

    def _vanishes(self, rate: float) -> bool:
        return abs(rate) <= NEUTRAL * max(1.0, float(np.abs(self.ideal_eigenvalues).max()))

    def _state(self, rate: float) -> str:
        if self._vanishes(rate):
            return "neither attracts nor repels"
        return "attracts" if rate < 0 else "repels"

    def _shown(self, rate: float) -> str:
        return f"rate {0 if self._vanishes(rate) else rate:.4g}"

    @property
    def verdict(self) -> str:
        """What the three linearizations say, in sentences."""
        point = f"({', '.join(f'{v:.6g}' for v in self.x)})"
        true = (
            f"{self.scheme} with h = {self.step_size:g}: the equilibrium {point} {self._state(self.rate)}, "
        )
        true += f"spectral radius {self.spectral_radius:.10g} ({self._shown(self.rate)})."
        known = "says the same" if self.agrees else "does not say the same"
        modified = (
            f"The modified field through h^{self.order} {known}: it {self._state(self.modified_rate)}, "
        )
        modified += f"growth {self.growth:.10g} a step ({self._shown(self.modified_rate)})."
        if self.agrees and not self._vanishes(self.rate):
            off = abs(self.modified_rate / self.rate - 1)
            modified = f"{modified[:-1]}, off by {off:.2g} of the rate."
        ideal = f"For h → 0 it {self._state(self.ideal_rate)} ({self._shown(self.ideal_rate)})."
        linear = "In the linearization only: where it neither attracts nor repels, higher terms decide."
        return "\n".join([true, modified, ideal, *([linear] if "neither" in true + modified + ideal else [])])

    def __repr__(self) -> str:
        return self.verdict


def local_stability(
    system: System,
    scheme: Scheme,
    x: Sequence[object],
    step_size: object,
    order: int = 2,
    parameters: Mapping[Any, object] | None = None,
) -> LocalStability:
    """Whether an equilibrium attracts the iterates of a scheme, as predicted and as it is.

    The prediction is by the eigenvalues μ of the Jacobian of the modified field, whose flow grows by
    exp(h Re μ) in the time of a step. Beside it stands the spectral radius of the Jacobian of the step
    itself, of x and memory together, by differences in arbitrary precision, accurate to all digits shown.

    Parameters
    ----------
    system : VectorField, Loss or Game
    scheme : Scheme
        Of one that draws its passes at random, the mean step is looked at.
    x : sequence of d numbers
        The equilibrium: exact, or as floats, which Newton's method then improves.
    step_size : number
    order : int, default 2
        The highest power of h in the modified field.
    parameters : mapping from name to number, optional
        Values for parameters of the system, before those that it has, and of the scheme.

    Returns
    -------
    LocalStability

    Raises
    ------
    ValueError
        If x is no equilibrium of the field, or one at which the scheme does not rest or its step is not
        smooth.
    TypeError
        If an argument is of another kind.

    References
    ----------
    .. [1] L. Mescheder, A. Geiger and S. Nowozin (2018), Which training methods for GANs do actually
           converge?, International Conference on Machine Learning, Appendix A.

    Examples
    --------
    >>> import bea
    >>> game = bea.Game(["x*y", "-x*y"], players=["x", "y"])
    >>> found = bea.local_stability(game, bea.SimultaneousDescent(), [0, 0], step_size=0.1, order=3)
    >>> round(found.spectral_radius, 8), round(found.growth, 8)
    (1.00498756, 1.0049874)
    >>> found.is_stable, found.agrees
    (False, True)
    """
    field = as_field(system)
    if not isinstance(scheme, Scheme):
        raise TypeError(f"scheme must be a bea scheme, not {type(scheme).__name__}")
    rest, constants = values_of(scheme, parameters, field)
    if constants:
        scheme = cast(Any, scheme).with_parameters(**constants)
    equation = modified_equation(system, scheme, order)
    _, given = read_parameters(field.concerning(rest), set(field.parameter_symbols), ())
    known = {**field.parameters, **given}
    for symbol in field.parameter_symbols:
        if symbol.name not in known:
            raise ValueError(
                f"no value for parameter {symbol.name!r}: pass parameters={{{symbol.name!r}: ...}}"
            )
    with ctx.workprec(4 * BITS):
        h = read_number(step_size)
        if not h > 0:
            raise ValueError(f"the step size must be positive, not {step_size}")
        point = _equilibrium(field, x, known)
        step = _step_matrix(system, scheme, point, h, known)
        ideal = _jacobian(equation.expressions(0), field, point, known)
        modified = _jacobian(equation.expressions(), field, point, {**known, STEP_SIZE.name: h})
        time = h * scheme.duration(len(field.parts))
        values = sorted(_eigenvalues(step), key=lambda z: -float(abs(z)))
        rates = [sorted(_eigenvalues(J), key=lambda z: -float(z.real)) for J in (modified, ideal)]
        radius = abs(values[0])
        return LocalStability(
            x=np.array([float(v) for v in point]),
            step_size=float(h),
            order=order,
            scheme=repr(scheme),
            eigenvalues=np.array([complex(z) for z in values]),
            spectral_radius=float(radius),
            modified_eigenvalues=np.array([complex(z) for z in rates[0]]),
            ideal_eigenvalues=np.array([complex(z) for z in rates[1]]),
            growth=float((rates[0][0].real * time).exp()),
            rate=float(radius.log() / time) if radius > 0 else -np.inf,
            modified_rate=float(rates[0][0].real),
            ideal_rate=float(rates[1][0].real),
        )


def _equilibrium(field: VectorField, x: Sequence[object], known: Mapping[str, object]) -> list[arb]:
    """The zero of the field at x, which Newton's method improves where x is given by floats."""
    if isinstance(x, str) or np.shape(np.array(x, dtype=object)) != (field.dimension,):
        raise ValueError(f"x must be a sequence of {field.dimension} numbers, not {x!r}")
    start = [read_number(value).mid() for value in x]
    point, residual = start, _value(field.components, field, start, known)
    tiny = 2.0**-BITS
    for _ in range(12):
        if _largest(residual) <= tiny:
            break
        correction = _solution(_jacobian(field.components, field, point, known), residual)
        if correction is None:
            break
        point = [(p - c).mid() for p, c in zip(point, correction, strict=True)]
        residual = _value(field.components, field, point, known)
    size = 1 + _largest(start)
    moved = _largest([p - s for p, s in zip(point, start, strict=True)])
    if _largest(residual) > 1e-12 * size or moved > NEAR * size:
        value = [float(v) for v in _value(field.components, field, start, known)]
        raise ValueError(f"{[float(v) for v in start]} is no equilibrium: the field there is {value}")
    return point


def _step_matrix(
    system: System, scheme: Scheme, x: list[arb], h: arb, known: Mapping[str, object]
) -> arb_mat:
    """The Jacobian of one step in x and memory, at rest in x."""
    d = len(x)
    size = memory_size(scheme, d)

    def step(z: list[arb]) -> list[arb]:
        own = z[d:] if size else None
        try:
            path, memory = arbitrary.iterate_with_memory(system, scheme, z[:d], h, 1, known, 4 * BITS, own)
        except arbitrary.DivergedError as error:
            raise ValueError(
                f"the step of {scheme.name} is not finite or not smooth at {[float(v) for v in x]}, "
                "so that it has no linearization there"
            ) from error
        return [*path[1], *memory]

    memory: list[arb] = []
    if size:
        _, after = arbitrary.iterate_with_memory(system, scheme, x, h, 0, known, 4 * BITS)
        memory = _memory_at_rest(lambda m: step([*x, *m])[d:], list(after))
    moved = _largest([a - b for a, b in zip(step([*x, *memory]), [*x, *memory], strict=True)])
    if moved > 1e-11 * (1 + _largest(x)):
        raise ValueError(
            f"{[float(v) for v in x]} is an equilibrium of the field, but {scheme.name} does not rest there: "
            f"its step is {moved:.3g} long"
        )
    return _differences(step, [*x, *memory])


def _memory_at_rest(function: Callable[[list[arb]], list[arb]], memory: list[arb]) -> list[arb]:
    """The memory m = function(m), by Newton's method; the memory of most schemes is affine in itself."""
    for _ in range(12):
        rest = [a - b for a, b in zip(function(memory), memory, strict=True)]
        if _largest(rest) <= 2.0**-BITS:
            return memory
        slope = _differences(function, memory)
        for i in range(len(memory)):
            slope[i, i] -= 1
        correction = _solution(slope, rest)
        if correction is None:
            break
        memory = [(m - c).mid() for m, c in zip(memory, correction, strict=True)]
    raise ValueError("the scheme has no memory with which it would rest at the equilibrium")


def _differences(function: Callable[[list[arb]], list[arb]], z: list[arb]) -> arb_mat:
    """The Jacobian by central differences over 2**-BITS, with an error of the order of 2**(-2 BITS)."""
    epsilon = arb(2) ** -BITS
    columns = []
    for j in range(len(z)):
        ends = [function([v + sign * epsilon if i == j else v for i, v in enumerate(z)]) for sign in (1, -1)]
        columns.append([((a - b) / (2 * epsilon)).mid() for a, b in zip(*ends, strict=True)])
    return arb_mat([list(row) for row in zip(*columns, strict=True)])


def _value(
    expressions: Sequence[sympy.Expr], field: VectorField, x: Sequence[arb], known: Mapping[str, object]
) -> list[arb]:
    """Expressions at a point, at the present precision; their zeros are met up to rounding."""
    symbols = tuple(sorted(free_symbols(expressions) - set(field.variables), key=lambda s: s.name))
    program = straight_line(tuple(expressions), field.variables, symbols)
    machine = program.machine(program.constants([read_number(known[s.name]) for s in symbols]))
    return [value.mid() for value in machine.value(list(x))]


def _jacobian(components: Any, field: VectorField, x: Sequence[arb], known: Mapping[str, object]) -> arb_mat:
    """The Jacobian of some components at a point."""
    expressions = list(components)
    return _differences(lambda z: _value(expressions, field, z, known), list(x))


def _largest(values: Sequence[arb]) -> float:
    """The largest absolute value."""
    return max((float(abs(v)) for v in values), default=0.0)


def _solution(matrix: arb_mat, right: Sequence[arb]) -> list[arb] | None:
    """The solution of a linear system, or None where the matrix is singular."""
    try:
        solved = matrix.solve(arb_mat(len(right), 1, list(right)))
    except ZeroDivisionError:
        return None
    return [solved[i, 0] for i in range(len(right))]


def _eigenvalues(matrix: arb_mat) -> list[acb]:
    return acb_mat(matrix).eig(algorithm="approx")
