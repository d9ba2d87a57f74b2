"""Vector fields: the right-hand sides of autonomous differential equations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from bea.systems.derivatives import jacobian
from bea.systems.evaluation import compile_numpy, parameter_numbers, read_point
from bea.systems.expressions import Value, named_symbols, present, read_expressions, read_parameters
from bea.systems.traversal import READABLE, free_symbols, written_size

__all__ = ["VectorField"]


class VectorField:
    r"""The right-hand side f of an autonomous differential equation ẋ = f(x).

    Parameters
    ----------
    expressions : sequence of str or sympy.Expr, or sympy.Matrix, length d
        The components of f. Text is parsed, never evaluated; decimals are read exactly (0.6 is 3/5).
    variables : str or sequence of str or sympy.Symbol, length d
        The names of the variables, such as ``"p q"``.
    parameters : mapping from name to number, optional
        Values for parameters: the free symbols that are no variables. In derivations a parameter stays a
        symbol; its value is used when numbers are asked for. It may also be given later.
    native_source : str, optional
        The same f once more, as the body of a Python function of arrays ``x`` (d,), ``p`` (parameters),
        ``data`` and ``out`` (d,), which Numba compiles: it assigns to ``out[:]``. For large systems with
        structure, where it may use ``np.dot``.
    native_data : array_like, optional
        The numbers that `native_source` finds in ``data``, flattened.
    absent : iterable of str, optional
        Names of parameters that belong to this field but do not occur in it, such as the step size in a
        modified field without corrections: values for them are accepted and have no effect.

    Attributes
    ----------
    variables, parameters : tuple of sympy.Symbol, dict from str to sympy.Expr
    parameter_symbols : tuple of sympy.Symbol
        All parameters, sorted by name, with or without a value.

    Raises
    ------
    ValueError, TypeError
        If text does not parse, there are not as many components as variables, or a value is no real number.

    Examples
    --------
    >>> import bea
    >>> field = bea.VectorField(["p*(2 - q)", "q*(p - 1)"], variables="p q")
    >>> field.jacobian
    Matrix([
    [2 - q,    -p],
    [    q, p - 1]])
    >>> field([1.0, 1.0])
    array([1., 0.])
    """

    def __init__(
        self,
        expressions: Sequence[object] | sympy.MatrixBase,
        variables: str | Sequence[str | sympy.Symbol],
        parameters: Mapping[Any, object] | None = None,
        native_source: str | None = None,
        native_data: Sequence[float] | np.ndarray = (),
        absent: Iterable[str] = (),
    ) -> None:
        unordered = isinstance(expressions, str | Mapping | Set)
        if unordered or not isinstance(expressions, Iterable | sympy.MatrixBase):
            raise TypeError(
                f"a vector field takes a sequence of components, not one {type(expressions).__name__}"
            )
        sources = list(expressions)
        self.variables = named_symbols(variables, sources, "variables")
        if len(sources) != len(self.variables):
            raise ValueError(
                f"a vector field needs one component for each variable, but the number of components is "
                f"{len(sources)} and that of variables {len(self.variables)}"
            )
        names = {v.name: v for v in self.variables}
        self._components = read_expressions(sources, names)
        occurring = free_symbols(self._components)
        self.absent = frozenset(absent) - {s.name for s in occurring}
        self.parameter_symbols, self.parameters = read_parameters(
            self.concerning(parameters), occurring, self.variables
        )
        self.native_source = native_source
        self.native_data = np.array(native_data, dtype=float).ravel()

    @property
    def components(self) -> tuple[sympy.Expr, ...]:
        """The d components of f, as a tuple."""
        return self._components

    @cached_property
    def expressions(self) -> sympy.ImmutableMatrix:
        """The field as a SymPy matrix of shape (d, 1)."""
        return sympy.ImmutableMatrix(self.components)

    @property
    def dimension(self) -> int:
        """The number d of variables."""
        return len(self.variables)

    @property
    def parts(self) -> tuple[VectorField, ...]:
        """The fields whose sum this one is, where they are known (see `SplitField`)."""
        return ()

    @cached_property
    def jacobian(self) -> sympy.ImmutableMatrix:
        """The matrix of partial derivatives ∂f_i/∂x_j, of shape (d, d)."""
        return sympy.ImmutableMatrix(jacobian(self.components, self.variables))

    def with_parameters(self, /, **values: Value) -> VectorField:
        """The same field with further parameter values, which replace earlier ones."""
        known = {**self.parameters, **values}
        native = (self.native_source, self.native_data)
        return VectorField(self.components, self.variables, known, *native, self.absent)

    def concerning(self, parameters: Mapping[Any, Any] | None) -> dict[Any, Any]:
        """The given parameter values less those of `absent` parameters."""
        return present(parameters, self.absent)

    def parameter_values(self, extra: Mapping[Any, object] | None = None) -> np.ndarray:
        """Numbers for `parameter_symbols`, in that order, from the field's own values and from `extra`.

        The `native_data`, if any, follow them: this is the argument p of the compiled field.

        Raises
        ------
        ValueError
            If a parameter has no value, or `extra` names one that the field does not have.
        """
        numbers = parameter_numbers(self.parameter_symbols, self.parameters, self.concerning(extra))
        return np.concatenate([numbers, self.native_data]) if self.native_data.size else numbers

    def point(self, x: Sequence[float] | np.ndarray, name: str = "x0") -> np.ndarray:
        """`x` as an array of d finite floats, or a sentence that says why it is none."""
        return read_point(x, self.dimension, name)

    def __call__(
        self,
        x: Sequence[float] | np.ndarray,
        /,
        parameters: Mapping[Any, object] | None = None,
        **values: Value,
    ) -> np.ndarray:
        """The value f(x), by NumPy; values of parameters are given by name, or in a mapping.

        `bea.numerics` compiles the field for long runs.
        """
        point = self.point(x, "x")
        numbers = self.parameter_values({**(parameters or {}), **values})
        return self._numpy(point, numbers[: len(self.parameter_symbols)])

    @cached_property
    def _numpy(self):
        return compile_numpy(self.components, self.variables, self.parameter_symbols)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, VectorField)
            and self.variables == other.variables
            and self.components == other.components
            and self.parameters == other.parameters
            and self.native_source == other.native_source
            and np.array_equal(self.native_data, other.native_data)
        )

    def __hash__(self) -> int:
        return hash((self.variables, self.components))

    def __reduce__(self) -> tuple:
        native = (self.native_source, self.native_data)
        return VectorField, (self.components, self.variables, self.parameters, *native, self.absent)

    def __repr__(self) -> str:
        readable = written_size(self.components) <= READABLE
        components = ", ".join(map(str, self.components)) if readable else "…"
        names = " ".join(v.name for v in self.variables)
        return f"VectorField([{components}], variables={names!r})"

    def _repr_latex_(self) -> str | None:
        if written_size(self.components) > READABLE:
            return None
        rows = (
            rf"\dot{{{sympy.latex(v)}}} &= {sympy.latex(c)}"
            for v, c in zip(self.variables, self.components, strict=True)
        )
        return "$\\displaystyle \\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}$"
