"""One step of a scheme on a system, as a function."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from bea.numerics import arbitrary
from bea.numerics.arguments import read_rng
from bea.numerics.iterates import iterate
from bea.schemes.scheme import Scheme
from bea.systems.system import System, as_field

__all__ = ["StepMap"]


class StepMap:
    """The map x ↦ Φ_h(x) of a scheme on a system, or (x, memory) ↦ (x, memory) where the scheme has a memory.

    It is what `bea.observed_field` takes.

    Parameters
    ----------
    system : VectorField, Loss or Game
    scheme : Scheme
    step_size : number
    parameters : mapping from name to number, optional
        Values for parameters of the system and of the scheme.
    bits : int, default 53
        The precision: 53 for double precision, more for arbitrary precision, in which a scheme that draws its
        passes at random makes the mean step.
    rng : int, numpy.random.Generator or None, default 0
        Randomness, as in NumPy, for such schemes in double precision. A generator goes on from step to step.

    Raises
    ------
    ValueError, TypeError
        If `bits` or `rng` is not as described; otherwise as in `bea.iterate`, when it is called.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("(0.6 - a*b)**2 / 2", variables="a b")
    >>> step = bea.StepMap(loss, bea.HeavyBall(0.5), step_size=1e-3)
    >>> x, memory = step([1.0, 1.0], [0.0, 0.0])
    >>> x
    array([0.9996, 0.9996])

    Where memory follows x, the field that the iterates follow is observed:

    >>> equation = bea.modified_equation(loss, bea.HeavyBall(0.5), order=5)
    >>> memory = equation.memory([1.0, 1.0], h=1e-3)
    >>> observed = bea.observed_field(step, [1.0, 1.0], h=1e-3, order=4, memory=memory)
    >>> abs(observed - equation.field()([1.0, 1.0], h=1e-3)).max() < 1e-8
    np.True_
    """

    def __init__(
        self,
        system: System,
        scheme: Scheme,
        step_size: Any,
        parameters: Mapping[Any, object] | None = None,
        bits: int = 53,
        rng: int | np.random.Generator | None = 0,
    ) -> None:
        self.system, self.scheme, self.step_size = system, scheme, step_size
        self.parameters, self.bits, self.rng = parameters, _read_bits(bits), read_rng(rng)

    @property
    def time(self) -> Any:
        """The time that one step takes: the step size, or m times that for a pass over m parts.

        It is the ``h`` of `bea.observed_field`, whose field then is on the clock of the modified equation.
        """
        return self.step_size * self.scheme.duration(len(as_field(self.system).parts))

    def __call__(self, x: Any, memory: Any = None) -> Any:
        """The next x, or the next x and memory where the scheme has one."""
        if memory is None and self.scheme.has_memory:
            raise ValueError(f"{self.scheme.name} has a memory: call the map with x and a memory")
        if self.bits > 53:
            path, after = arbitrary.iterate_with_memory(
                self.system, self.scheme, x, self.step_size, 1, self.parameters, self.bits, memory
            )
            end = path[-1]
        else:
            run = iterate(
                self.system, self.scheme, x, self.step_size, 1, self.parameters, memory=memory, rng=self.rng
            )
            if not run.success:
                raise ValueError(f"no step can be made from {list(x)}: {run.message}")
            end, after = run.x[-1], run.memory
        return end if memory is None else (end, after)


def _read_bits(bits: Any) -> int:
    try:
        number = operator.index(bits)
    except TypeError:
        raise TypeError(f"bits must be an integer, 53 or more, not {bits!r}") from None
    if number < 53:
        raise ValueError(f"bits must be an integer, 53 or more, not {bits!r}")
    return number
