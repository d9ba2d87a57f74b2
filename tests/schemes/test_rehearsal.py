"""Mistakes in a scheme of one's own become a sentence; sound schemes and other errors are left alone."""

from dataclasses import dataclass

import pytest
import sympy

import bea
from bea.schemes.parametric import ParametricScheme, constant
from bea.schemes.scheme import Scheme

LOSS = bea.Loss("(1 - a*b)**2 / 2", variables="a b")


def stepping(rule):
    """A scheme without memory whose step is `rule`."""
    return type("Own", (Scheme,), {"name": "own", "step": staticmethod(rule)})()


def remembering(rule):
    """A scheme that remembers one vector and updates by `rule`."""
    return type("Own", (Scheme,), {"name": "own", "vectors": 1, "update": staticmethod(rule)})()


def plain(field, x, h, arithmetic):
    return [u + h * v for u, v in zip(x, field(x), strict=True)]


def momentum(field, x, memory, arithmetic):
    beta = arithmetic.number(sympy.Rational(9, 10))
    return [beta * m + v for m, v in zip(memory[0], field(x), strict=True)]


MISTAKES = {
    "a float": (
        stepping(lambda f, x, h, a: [u + 0.5 * h * v for u, v in zip(x, f(x), strict=True)]),
        r"not with 0\.5: constants go through arithmetic\.number",
    ),
    "a SymPy constant": (
        stepping(lambda f, x, h, a: [u + sympy.Rational(1, 2) * h * v for u, v in zip(x, f(x), strict=True)]),
        r"not with 1/2: constants go through arithmetic\.number",
    ),
    "a quotient": (
        stepping(lambda f, x, h, a: [h * v / u for u, v in zip(x, f(x), strict=True)]),
        r"no /: write u\*arithmetic\.power",
    ),
    "a root": (
        stepping(lambda f, x, h, a: [u + h * v**0.5 for u, v in zip(x, f(x), strict=True)]),
        r"no \*\*: write arithmetic\.power",
    ),
    "a case": (
        stepping(lambda f, x, h, a: [u + h * v if u > v else u for u, v in zip(x, f(x), strict=True)]),
        "cannot be compared",
    ),
    "nothing": (stepping(lambda f, x, h, a: None), "must return the next x, .* not nothing"),
    "too short": (stepping(lambda f, x, h, a: plain(f, x, h, a)[:1]), "for 3 it returns 1"),
    "text for a constant": (
        stepping(lambda f, x, h, a: [u + a.number("half") * v for u, v in zip(x, f(x), strict=True)]),
        "takes an exact SymPy expression, .* not 'half'",
    ),
    "a flat memory": (
        remembering(lambda f, x, m, h, a: (plain(f, x, h, a), momentum(f, x, m, a))),
        "the memory is a list of 1 lists and 0 numbers, not of 3",
    ),
    "no memory": (remembering(lambda f, x, m, h, a: plain(f, x, h, a)), "as a pair, not list"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_mistake_is_named(name):
    scheme, sentence = MISTAKES[name]
    with pytest.raises(TypeError, match=sentence):
        bea.modified_equation(LOSS, scheme, order=1)


@pytest.mark.parametrize("name", ["nothing", "too short", "a flat memory", "no memory"])
def test_iterates_and_arbitrary_precision_name_it_too(name):
    scheme, sentence = MISTAKES[name]
    with pytest.raises(TypeError, match=sentence):
        bea.iterate(LOSS, scheme, [1, 2], 0.1, 3)
    with pytest.raises(TypeError, match=sentence):
        bea.arbitrary.iterate(LOSS, scheme, [1, 2], "1/10", 3)


def test_a_constant_without_a_dataclass():
    class Relaxed(ParametricScheme):
        name = "relaxed"
        omega: object = constant("1/2")

        def step(self, field, x, h, arithmetic):
            return [u + arithmetic.number(self.omega) * h * v for u, v in zip(x, field(x), strict=True)]

    with pytest.raises(TypeError, match=r"declares omega by constant.* no dataclass"):
        bea.modified_equation(LOSS, Relaxed(), order=1)
    sound = dataclass(frozen=True, repr=False)(Relaxed)()
    terms = bea.modified_equation(LOSS, sound, order=0).terms
    assert (terms[0] + LOSS.gradient / 2).expand() == sympy.zeros(2, 1)


def test_a_mistake_inside_a_wrapper_is_found():
    scheme, sentence = MISTAKES["a float"]
    with pytest.raises(TypeError, match=sentence):
        bea.modified_equation(LOSS, bea.schemes.Lookahead(scheme), order=1)


def test_a_sound_scheme_and_errors_of_other_kinds_are_left_alone():
    assert bea.modified_equation(LOSS, stepping(plain), order=1).terms[1] is not None

    def refuses(field, x, h, arithmetic):
        raise ValueError("only on Sundays")

    with pytest.raises(ValueError, match="only on Sundays"):
        bea.modified_equation(LOSS, stepping(refuses), order=1)
