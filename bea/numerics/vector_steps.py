"""One step of a scheme on a large field, which is called: the rest of the step as loops over the components.

Where a scheme treats every component of x alike, its rule for one component is the body of a loop. That it
does is not taken on trust: the rule is traced in two components, and the two traces compared.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import sympy

from bea.numerics.codegen import DECORATOR, HEADER, compile_field, statement_text
from bea.numerics.program import Program, Statement
from bea.numerics.tracing import FixedPoints, NotTraceable, Number, ProgramArithmetic, Rule
from bea.schemes.memory import flattened, shaped
from bea.schemes.scheme import Scheme
from bea.systems.expressions import STEP_SIZE
from bea.systems.vector_field import VectorField

__all__ = ["NotAlike", "StepTrace", "vector_source", "vector_tail"]

#: The tag of what belongs to no component: h, parameters, and the scalars of the memory.
_SCALAR = -1


class NotAlike(Exception):
    """The scheme does not treat all components of x alike, component by component."""


def vector_tail(field: VectorField, own: dict[str, float]) -> list[float]:
    """What follows h and the symbols of the scheme among the parameters of the compiled step.

    For the field and each of its parts: the address of its compiled function, then its own parameters.
    """
    tail: list[float] = []
    for f in (field, *field.parts):
        names = {s.name for s in f.parameter_symbols}
        values = f.parameter_values({name: v for name, v in own.items() if name in names})
        tail += [float(compile_field(f).rhs), *map(float, values)]
    return tail


def vector_source(scheme: Scheme, field: VectorField, rule: Rule | None = None) -> str:
    """The module of a function that makes one step (x, memory) ↦ (x, memory).

    Its parameters are h, the symbols of the scheme, and `vector_tail`.

    Raises
    ------
    NotAlike
        If the scheme does not treat all components alike.
    NotTraceable
        If its step is no finite program.
    """
    trace = StepTrace(scheme, len(field.parts), rule)
    trace.require_alike()
    return trace.source(field)


class _OpaqueField:
    """A field whose values are new registers: one statement for each component."""

    def __init__(self, program: Program, number: int, parts: int) -> None:
        self._program, self._number = program, number
        self.parts = [_OpaqueField(program, number + 1 + j, 0) for j in range(parts)]

    def __call__(self, point: Sequence[Number]) -> list[Number]:
        places = tuple(value.place for value in point)
        registers = (self._program.call(self._number, places, i) for i in range(len(places)))
        return [Number(self._program, {r: 1.0}) for r in registers]

    def flow(self, point: Sequence[Number], t: Number) -> list[Number]:
        raise NotTraceable


class StepTrace:
    """The step of a scheme on a system of so many parts, in two components, its fields being called.

    Attributes
    ----------
    calls : list of int
        The numbers of the fields that are called, 0 for the whole and 1, 2, … for its parts.
    has_fixed_points : bool
        Whether the step asks for the solution of an equation.
    """

    def __init__(self, scheme: Scheme, parts: int, rule: Rule | None = None) -> None:
        self.vectors, self.scalars = 1 + scheme.vectors, scheme.scalars
        size = 2 * self.vectors + self.scalars
        inputs = [*(sympy.Dummy() for _ in range(size)), STEP_SIZE, *scheme.parameter_symbols]
        self.program = Program([], inputs)
        z = [Number(self.program, {i: 1.0}) for i in range(size)]
        h, points = Number(self.program, {size: 1.0}), FixedPoints()
        arithmetic, opaque = ProgramArithmetic(self.program, points), _OpaqueField(self.program, 0, parts)
        x, memory = (rule or scheme.update)(opaque, z[:2], shaped(z[2:], 2, scheme), h, arithmetic)
        end = [value.place for value in [*x, *flattened(memory, scheme)]]
        self.outputs = [end[2 * b] for b in range(self.vectors)]
        self.twins = [end[2 * b + 1] for b in range(self.vectors)]
        self.scalar_outputs = end[2 * self.vectors :]
        self.has_fixed_points = bool(points.starts)
        called = [s for s in self.program.statements if s.kind.startswith("call")]
        self.calls = [int(s.kind[4:]) for s in called if s.numbers[0] == 0]
        self.tags: list[int] = []

    def _tags(self) -> list[int]:
        """The component to which each register belongs."""
        tags = [b % 2 for b in range(2 * self.vectors)]
        tags += [_SCALAR] * (self.program.inputs - len(tags))
        for statement in self.program.statements:
            if statement.kind.startswith("call"):
                tags.append(int(statement.numbers[0]))
                continue
            found = {tags[r] for r in statement.operands} - {_SCALAR}
            if len(found) > 1:
                raise NotAlike
            tags.append(found.pop() if found else _SCALAR)
        return tags

    def require_alike(self) -> None:
        """Refuse a step whose two components are not the same function of their arguments."""
        if self.has_fixed_points:
            raise NotAlike
        self.tags = self._tags()
        names: dict[Any, int] = {}
        signatures: list[int] = []
        for register in range(len(self.tags)):
            if register < self.program.inputs:
                inner: Any = register // 2 if self.tags[register] != _SCALAR else ("scalar", register)
            else:
                kind, operands, numbers = self.program.statements[register - self.program.inputs]
                if kind.startswith("call"):
                    inner = kind, signatures[operands[0]], signatures[operands[1]]
                elif kind == "sum":
                    terms = sorted(zip((signatures[r] for r in operands), numbers[1:], strict=True))
                    inner = kind, numbers[0], *terms
                else:
                    order = sorted if kind == "product" else list
                    inner = kind, *order(signatures[r] for r in operands)
            signatures.append(names.setdefault(inner, len(names)))
        pairs = list(zip(self.outputs, self.twins, strict=True))
        if any(signatures[a] != signatures[b] for a, b in pairs):
            raise NotAlike
        calls = (s for s in self.program.statements if s.kind.startswith("call"))
        if any(signatures[a] != signatures[b] for a, b in (s.operands for s in calls)):
            raise NotAlike
        if any(self.tags[r] != _SCALAR for r in self.scalar_outputs):
            raise NotAlike
        if any(self.tags[a] == 1 or self.tags[b] == 0 for a, b in pairs):
            raise NotAlike

    # -- source ------------------------------------------------------------------------------------------

    def source(self, field: VectorField) -> str:
        """The module, for a field in its own number of components."""
        d, size = field.dimension, field.dimension * self.vectors + self.scalars
        first = self.program.inputs
        lines = [f"x = carray(x, ({size},))", f"out = carray(out, ({size},))"]
        offset = first - 2 * self.vectors - self.scalars
        fields = (field, *field.parts)
        count = offset + sum(1 + len(f.parameter_symbols) + f.native_data.size for f in fields)
        lines.append(f"p = carray(p, ({count},))")
        for j, f in enumerate(fields):
            own = len(f.parameter_symbols) + f.native_data.size
            lines += [f"a{j} = int(p[{offset}])", f"p{j} = p[{offset + 1}:{offset + 1 + own}]"]
            offset += 1 + own
        for r in range(2 * self.vectors, first):
            place = f"x[{d * self.vectors + r - 2 * self.vectors}]" if r < first - self._free else ""
            lines.append(f"r{r} = {place or f'p[{r - (first - self._free)}]'}")
        lines += self._body(d)
        return (
            HEADER
            + "from bea.numerics.call import call\n"
            + DECORATOR
            + textwrap.indent("\n".join(lines) + "\n", "    ")
        )

    @property
    def _free(self) -> int:
        """How many inputs are h and the symbols of the scheme."""
        return self.program.inputs - 2 * self.vectors - self.scalars

    def _body(self, d: int) -> list[str]:
        lines: list[str] = []
        pending: list[tuple[int, Statement]] = []
        first = self.program.inputs
        last_use = self._last_uses()
        stored: set[int] = set()

        def flush(position: int) -> None:
            if pending:
                lines.extend(self._loop(pending, last_use, position, stored, d))
                pending.clear()

        for register, statement in enumerate(self.program.statements, start=first):
            if statement.kind.startswith("call"):
                if self.tags[register] == 0:
                    flush(register)
                    (point, _), j = statement.operands, statement.kind[4:]
                    argument = f"x[{point // 2 * d}:{point // 2 * d + d}]" if point < first else f"b{point}"
                    lines.extend(
                        [f"b{register} = np.empty({d})", f"call(a{j}, {argument}, p{j}, b{register})"]
                    )
                    stored.add(register)
            elif self.tags[register] == _SCALAR:
                lines.append(f"r{register} = {statement_text(statement)}")
            elif self.tags[register] == 0:
                pending.append((register, statement))
        end = first + len(self.program.statements)
        lines.extend(self._loop(pending, last_use, end, stored, d, outputs=True))
        start = d * self.vectors
        lines += [f"out[{start + k}] = r{r}" for k, r in enumerate(self.scalar_outputs)]
        return lines

    def _last_uses(self) -> dict[int, int]:
        """Where each register is used last; an output after the last statement."""
        uses: dict[int, int] = {}
        for register, statement in enumerate(self.program.statements, start=self.program.inputs):
            if self.tags[register] != 1:
                uses.update(dict.fromkeys(statement.operands, register))
        return uses | dict.fromkeys(self.outputs, self.program.inputs + len(self.program.statements))

    def _loop(
        self,
        statements: Sequence[tuple[int, Statement]],
        last_use: dict[int, int],
        position: int,
        stored: set[int],
        d: int,
        outputs: bool = False,
    ) -> list[str]:
        """A loop over all components that runs the statements, and keeps what is used from `position` on."""
        own = {register for register, _ in statements}
        used = {r for _, s in statements for r in s.operands} | set(self.outputs if outputs else ())
        loads = [r for r in sorted(used - own) if self.tags[r] == 0]
        kept = [] if outputs else [r for r in sorted(own) if last_use.get(r, -1) >= position]
        stored.update(kept)
        body = [
            f"r{r} = " + (f"x[{r // 2 * d} + i]" if r < self.program.inputs else f"b{r}[i]") for r in loads
        ]
        body += [f"r{register} = {statement_text(statement)}" for register, statement in statements]
        body += [f"b{r}[i] = r{r}" for r in kept]
        if outputs:
            body += [f"out[{b * d} + i] = r{r}" for b, r in enumerate(self.outputs)]
        return [
            *(f"b{r} = np.empty({d})" for r in kept),
            f"for i in range({d}):",
            *(f"    {b}" for b in body),
        ]
