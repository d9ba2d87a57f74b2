"""Ways onto the zero-loss set: the nearest point of it, and the limit of the gradient flow."""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from bea.numerics.codegen import compile_field
from bea.numerics.flows import OdeResult, flow
from bea.systems.loss import Loss
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["FlowLimit", "Projection", "flow_limit", "project"]

#: The flow is left for its linearization at this distance from the limit, relative to 1 + ‖x‖.
HANDOVER = 1e-7

#: Below this share of the largest, a singular value counts as zero where no codimension is known.
RANK_TOLERANCE = 1e-5

#: What a flow that has not settled may be doing.
_NOT_SETTLED = "It may drift away, or come to its limit more slowly than exponentially: a degenerate minimum."

Function = Callable[[np.ndarray], np.ndarray]

_DOUBLES = ctypes.POINTER(ctypes.c_double)
_FIELD_TYPE = ctypes.CFUNCTYPE(None, _DOUBLES, _DOUBLES, _DOUBLES)


@dataclass(frozen=True)
class FlowLimit:
    """The limit of a flow, as found by `flow_limit`.

    Attributes
    ----------
    x : array of shape (d,)
        The limit, or the last point where there is none.
    t : float
        How long the flow was integrated.
    loss : float or None
        The value of the loss at x; None for a vector field.
    gradient_norm : float
        The length of the gradient, or of the vector field, at x.
    on_zero_loss_set : bool or None
        Whether the loss vanishes at x; None where no zero-loss set is known.
    success : bool
        Whether the flow has come to its limit.
    message : str
        What happened.
    """

    x: np.ndarray
    t: float
    loss: float | None
    gradient_norm: float
    on_zero_loss_set: bool | None
    success: bool
    message: str


@dataclass(frozen=True)
class Projection:
    """A point of the zero-loss set at a least distance, as found by `project`.

    Attributes
    ----------
    x : array of shape (d,)
        The point.
    distance : float
        How far it lies from the point that was projected.
    tangential : float
        The length of the tangential part of that displacement, zero at a nearest point.
    iterations : int
        How many steps along the zero-loss set were made.
    """

    x: np.ndarray
    distance: float
    tangential: float
    iterations: int


def flow_limit(
    system: Loss | VectorField,
    x0: Sequence[float] | np.ndarray,
    parameters: Mapping[Any, object] | None = None,
    *,
    zero_loss_set: ZeroLossSet | None = None,
    rtol: float = 1e-12,
    atol: float = 1e-14,
    max_time: float = 1e12,
    max_steps: int = 10**6,
) -> FlowLimit:
    r"""The point Φ(x₀) to which the flow of a field, or the gradient flow of a loss, tends from x₀.

    Parameters
    ----------
    system : Loss or VectorField
        A loss stands for its gradient flow.
    x0 : array_like of shape (d,)
    parameters : mapping from name to number, optional
        Values for parameters, which replace those that the system has.
    zero_loss_set : ZeroLossSet, optional
        For the verdict `on_zero_loss_set`; by default that of the loss.
    rtol, atol : float, optional
        Tolerances of the integration, as in `flow`.
    max_time : float, optional
        The time after which the flow is given up.
    max_steps : int, optional
        The most steps between two looks at the state. They lie at doubled times.

    Returns
    -------
    FlowLimit
        The limit, or the last point with ``success`` false and the reason in ``message``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or a parameter has no value.

    Warns
    -----
    RuntimeWarning
        If no limit is found.

    Notes
    -----
    Near its limit the flow from x follows the linearization ż = f(x) + A (z − x), A = f'(x), whose own limit
    is x − A^# f(x) with the group inverse A^#; for a gradient flow this is x − H⁺g. It misses Φ(x) by the
    square of the distance, so that the integration stops at the distance 1e-7. The limit is trusted only if
    the eigenvalues of A other than zero have negative real parts, the range of A holds f up to second order,
    and f at the limit is a thousandth of f(x) at most, or rounding. A is exact, but for a field with a
    `native_source`, where it is taken by central differences with a relative error of about 1e-9.

    Where the loss is flatter than quadratic across its zeros in every direction, as x⁴ is, the flow comes
    near them like a power of t and not exponentially: it does not settle by `max_time`, and that is reported.
    Where it is so in some directions only, as x⁴ + y² is, those whose second derivative is below 1e-5 of the
    largest are taken for directions along the zeros, so that the limit may be wrong by the distance, about
    1e-3 or less, at which they become so.

    The integration is explicit. A flow that is stiff for long needs more than `max_steps` and says so.

    References
    ----------
    .. [1] K. J. Falconer, "Differentiation of the limit mapping in a dynamical system", Journal of the London
       Mathematical Society, 1983.

    Examples
    --------
    >>> import bea
    >>> loss = bea.catalogue.two_parameter(x=1, y=0.6)
    >>> limit = bea.flow_limit(loss, [2.8, 3.5])
    >>> limit.x.round(5), limit.on_zero_loss_set
    (array([0.28315, 2.119  ]), True)
    """
    if not isinstance(system, Loss | VectorField):
        raise TypeError(f"flow_limit takes a Loss or a VectorField, not {type(system).__name__}")
    _require_positive(max_time, "max_time")
    if zero_loss_set is not None and not isinstance(zero_loss_set, ZeroLossSet):
        raise TypeError(f"zero_loss_set must be a ZeroLossSet, not {type(zero_loss_set).__name__}")
    if parameters is not None:
        system = system.with_parameters(**_by_name(parameters))
    loss, field = (system, system.field) if isinstance(system, Loss) else (None, system)
    zeros = loss.zero_loss_set if loss is not None and zero_loss_set is None else zero_loss_set
    f, A, x = _compiled(field), _derivative(field), field.point(x0)
    if not np.isfinite(f(x)).all():
        raise ValueError(f"the field is not finite at x0 = {x.tolist()}")

    def advance(x: np.ndarray, t: float, duration: float) -> OdeResult:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            end = t + duration
            return flow(field, x, (t, end), rtol=rtol, atol=atol, t_eval=[end], max_steps=max_steps)

    x, t, failure = _settle(f, A, advance, x, zeros, max_time)
    if failure:
        warnings.warn(failure, RuntimeWarning, stacklevel=2)
    return FlowLimit(
        x=x,
        t=t,
        loss=None if loss is None else loss(x),
        gradient_norm=float(np.linalg.norm(f(x))),
        on_zero_loss_set=_is_zero(loss, zeros, A, x),
        success=not failure,
        message=failure or f"The flow was followed by its linearization from t = {t:g} to the limit.",
    )


def project(
    loss: Loss,
    x: Sequence[float] | np.ndarray,
    parameters: Mapping[Any, object] | None = None,
    *,
    tolerance: float = 1e-10,
    max_iterations: int = 100,
) -> Projection:
    r"""The point of the zero-loss set of a loss that is nearest to x, at least among its neighbours.

    Parameters
    ----------
    loss : Loss
    x : array_like of shape (d,)
    parameters : mapping from name to number, optional
        Values for parameters, which replace those that the loss has.
    tolerance : float, optional
        The largest tangential part of x − z, relative to 1 + ‖x‖, at which z counts as nearest.
    max_iterations : int, optional
        The most steps along the zero-loss set.

    Returns
    -------
    Projection
        The point, its distance from x, and how well x − z is normal there.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, a parameter has no value, or the zero-loss set is singular where
        the steps arrive.
    RuntimeError
        If no zero or no nearest one is found.

    Notes
    -----
    Newton's method for the least ½‖z − x‖² on Γ = {F = 0}: each step in the tangent space is T B⁻¹ Tᵀ(x
    − z), with an orthonormal basis T of the tangent space and B = Tᵀ(1 + ∇²(λ·F))T, where λ = (F'ᵀ)⁺(x − z)
    are the multipliers. It is followed by Gauss–Newton steps back to Γ and halved until the distance falls.
    Negative eigenvalues of B are reversed, and followed where nothing else is left to do, so that the end is
    a local minimum of the distance and not just a critical point. Where Γ bends away from x more than the
    distance allows there are several.

    For a loss without a known zero-loss set F is the gradient, with the rank that its derivative has at the
    limit of the gradient flow from x.

    References
    ----------
    .. [1] P.-A. Absil, R. Mahony and J. Trumpf, "An extrinsic look at the Riemannian Hessian", Geometric
       Science of Information, 2013.

    Examples
    --------
    >>> import bea
    >>> circle = bea.catalogue.implicit_curve("x**2 + y**2 - 1")
    >>> bea.project(circle, [3.0, 4.0]).x.round(12)
    array([0.6, 0.8])
    """
    if not isinstance(loss, Loss):
        raise TypeError(f"project takes a Loss, not {type(loss).__name__}")
    if parameters is not None:
        loss = loss.with_parameters(**_by_name(parameters))
    _require_positive(tolerance, "tolerance")
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, int | np.integer):
        raise TypeError(f"max_iterations must be an integer, not {max_iterations!r}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1, not {max_iterations}")
    target = loss.field.point(x, "x")
    zeros, start = (loss.zero_loss_set, target) if loss.zero_loss_set else _critical_set(loss, target)
    z = zeros.retract(start)
    for iteration in range(max_iterations):
        T = zeros.tangent_basis(z)
        slope = T.T @ (target - z)
        curvatures, directions = np.linalg.eigh(T.T @ T + T.T @ _bending(zeros, z, target) @ T)
        tangential = float(np.linalg.norm(slope))
        settled = tangential <= tolerance * (1 + np.linalg.norm(target))
        if settled and curvatures.min(initial=0) >= -1e-6:
            return Projection(z, float(np.linalg.norm(target - z)), tangential, iteration)
        if settled:
            step = np.linalg.norm(target - z) * (T @ directions[:, 0])
        else:
            step = T @ directions @ (directions.T @ slope / np.maximum(np.abs(curvatures), 1e-3))
        z = _nearer(zeros, z, step, target)
    raise RuntimeError(
        f"no nearest point of the zero-loss set was found in {max_iterations} steps: "
        f"a tangential part of length {tangential:.3g} is left of the displacement"
    )


def _by_name(parameters: Mapping[Any, Any]) -> dict[str, Any]:
    """Parameter values by the names of the parameters."""
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters are given as a mapping from names to numbers, not as {parameters!r}")
    return {str(name): value for name, value in parameters.items()}


def _require_positive(value: float, name: str) -> None:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not value > 0:
        raise ValueError(f"{name} must be positive, not {value!r}")


def _bending(zeros: ZeroLossSet, z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The Hessian of λ·F at z, with the multipliers λ of the nearest point to the target."""
    multipliers = np.linalg.lstsq(zeros.jacobian(z).T, target - z, rcond=1e-8)[0]
    hessian = _jacobian(lambda x: zeros.jacobian(x).T @ multipliers, z)
    return (hessian + hessian.T) / 2


def _nearer(zeros: ZeroLossSet, z: np.ndarray, step: np.ndarray, target: np.ndarray) -> np.ndarray:
    """A zero in the direction of the step from z, no farther from the target, up to rounding."""
    farthest = (1 + 4 * np.finfo(float).eps) * np.linalg.norm(target - z)
    for k in range(40):
        try:
            candidate = zeros.retract(z + step / 2**k)
        except RuntimeError:
            continue
        if np.linalg.norm(target - candidate) <= farthest:
            return candidate
    raise RuntimeError(f"no nearest point of the zero-loss set was found: the search halted at {z.tolist()}")


def _critical_set(loss: Loss, x: np.ndarray) -> tuple[ZeroLossSet, np.ndarray]:
    """The zeros of the gradient near the limit of the gradient flow from x, and that limit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        limit = flow_limit(loss, x)
    if not (limit.success and limit.on_zero_loss_set):
        reason = limit.message if not limit.success else f"The loss is {limit.loss:.3g} where the flow ends."
        raise RuntimeError(f"the gradient flow from {x.tolist()} leads to no zero of the loss. {reason}")
    rank = _rank(np.linalg.svd(_derivative(loss.field)(limit.x), compute_uv=False))
    gradient = list(loss.gradient)
    return ZeroLossSet(gradient, loss.variables, loss.field.parameters, codimension=rank), limit.x


def _settle(
    f: Function,
    derivative: Function,
    advance: Callable[[np.ndarray, float, float], OdeResult],
    x: np.ndarray,
    zeros: ZeroLossSet | None,
    max_time: float,
) -> tuple[np.ndarray, float, str]:
    """The limit of the flow from x, when it was in sight, and an empty text, or what went wrong."""
    t, duration = 0.0, 1 / max(1e-6, float(np.linalg.norm(derivative(x))))
    while (limit := _linear_limit(f, derivative, x, zeros)) is None:
        if t >= max_time:
            return x, t, f"The flow has not settled at t = {t:g}. {_NOT_SETTLED}"
        solution = advance(x, t, duration)
        if not solution.success:
            return x, t, f"No limit was found. {solution.message}"
        x, t = solution.y[:, -1], t + duration
        duration = t
    return limit, t, ""


def _linear_limit(
    f: Function, derivative: Function, x: np.ndarray, zeros: ZeroLossSet | None
) -> np.ndarray | None:
    """The limit x − A^# f(x) of the linearized flow, A = f'(x), or None where it cannot be trusted yet."""
    value, A = f(x), derivative(x)
    if not value.any():
        return x
    if not (np.isfinite(value).all() and np.isfinite(A).all()):
        return None
    U, s, V = np.linalg.svd(A)
    near = zeros is not None and zeros.contains(x, tolerance=1e-3)
    rank = zeros.codimension if near and zeros is not None else _rank(s)
    B, C = U[:, :rank] * s[:rank], V[:rank]
    if rank == 0 or np.linalg.eigvals(C @ B).real.max() >= 0:
        return None
    step = B @ np.linalg.solve(C @ B, np.linalg.solve(C @ B, C @ value))
    limit, size = x - step, 1 + np.linalg.norm(x)
    left = max(np.linalg.norm(value - A @ step), np.linalg.norm(f(limit)))
    rounding = 100 * np.finfo(float).eps * s[0] * size
    trusted = np.linalg.norm(step) <= HANDOVER * size and left <= 1e-3 * np.linalg.norm(value) + rounding
    return limit if trusted else None


def _rank(singular_values: np.ndarray) -> int:
    return int(np.sum(singular_values > RANK_TOLERANCE * singular_values[0]))


def _is_zero(loss: Loss | None, zeros: ZeroLossSet | None, A: Function, x: np.ndarray) -> bool | None:
    """Whether the loss vanishes at x, by its zero-loss set where that is known, else by its value."""
    if zeros is not None:
        return zeros.contains(x)
    if loss is None:
        return None
    value = loss(x)
    if not np.isfinite(value):
        return False
    admitted = np.linalg.norm(A(x), 2) * (HANDOVER * (1 + np.linalg.norm(x))) ** 2
    return bool(abs(value) <= admitted)


def _compiled(field: VectorField) -> Function:
    """The compiled right-hand side, with the field's own parameter values, as a function of arrays."""
    return _called(compile_field(field).rhs, field.parameter_values(), (field.dimension,))


def _derivative(field: VectorField) -> Function:
    """The derivative of the field: exact, but by differences where the field is given by native source."""
    if field.native_source is not None:
        f = _compiled(field)
        return lambda x: _jacobian(f, x)
    return _called(compile_field(field).jacobian, field.parameter_values(), (field.dimension,) * 2)


def _called(address: int, p: np.ndarray, shape: tuple[int, ...]) -> Function:
    """The compiled function at an address, as a function from arrays to arrays of the given shape."""
    compiled = _FIELD_TYPE(address)

    def f(x: np.ndarray) -> np.ndarray:
        out = np.empty(shape)
        compiled(*(np.ascontiguousarray(array).ctypes.data_as(_DOUBLES) for array in (x, p, out)))
        return out

    return f


def _jacobian(f: Function, x: np.ndarray) -> np.ndarray:
    """The derivative of f at x by central differences, with an error of about 1e-10."""
    steps = np.cbrt(np.finfo(float).eps) * np.maximum(1, np.abs(x))
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for h, e in zip(steps, np.eye(len(x)), strict=True)]
    return np.array(columns).T
