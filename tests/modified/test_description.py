"""What a modified equation says of itself when it is printed."""

import pytest
import sympy

import bea
from bea.schemes import RK4

LOSS = bea.Loss("(1 - a*b)**2/2", variables="a b")


@pytest.fixture(scope="module")
def equation():
    return bea.modified_equation(LOSS, bea.GradientDescent(), order=2)


def test_printing_shows_the_series(equation):
    text = str(equation)
    assert text.startswith("gradient-descent on the loss\n\n  E = ")
    assert "E_1 = (a**2 + b**2)*(a*b - 1)**2/4" in text
    assert "Those of h**2 are not:" in text
    assert repr(equation) == f"ModifiedEquation({LOSS!r}, GradientDescent(), order=2)"
    assert str(equation.loss) in text
    assert repr(equation.loss) not in text


def test_a_modifying_integrator_and_a_b_series_say_what_they_are():
    field = bea.VectorField(["y**2"], variables="y")
    modifying = str(bea.modifying_integrator(field, bea.schemes.ExplicitEuler(), order=1))
    assert "follows this system to O(h**2) on the field whose coefficients of h**k are" in modifying
    series = bea.bseries(RK4(), order=3).log()
    assert "is the field whose coefficients of h**k are" in str(bea.evaluate_series(series, field))


def test_what_is_long_is_counted_and_not_printed():
    loss = bea.Loss("log(1 + exp(a*x) + x**2)*sin(x)", variables="x")
    long = bea.modified_equation(loss, bea.GradientDescent(), order=3)
    assert "characters; see .terms)" in str(long)
    assert max(map(len, str(long).splitlines())) < 2100


def test_sympy_prints_the_equation_and_the_loss(equation):
    assert sympy.latex(equation) == equation.latex()
    assert sympy.latex(equation.loss) == equation.loss.latex()
    assert equation.loss._repr_latex_() == rf"$\displaystyle {equation.loss.latex()}$"
    assert r"\tilde E = " in sympy.latex(equation.loss)


def test_the_modified_loss_is_a_function(equation):
    """E + (h/4)|grad E|^2 at a point, by hand: r = 1 - ab, |grad E|^2 = r^2 (a^2 + b^2)."""
    modified = bea.modified_equation(LOSS, bea.GradientDescent(), order=1).loss
    a, b, h = 1.3, 0.4, 0.1
    r = 1 - a * b
    assert modified([a, b], h=h) == pytest.approx(r**2 / 2 + h / 4 * r**2 * (a**2 + b**2), rel=1e-14)
    assert modified([a, b], {"h": h}) == modified([a, b], h=h)
    assert equation.loss([a, b], h=h) == equation.loss.truncate()([a, b], h=h) != modified([a, b], h=h)


def test_a_game_has_no_one_loss():
    equation = bea.modified_equation(bea.Game(["x*y", "-x*y"], ["x", "y"]), bea.AlternatingDescent(), order=1)
    with pytest.raises(TypeError, match=r"of a game, .* bea\.discretization_drift"):
        _ = equation.loss
    assert "L = x*y" in str(equation)


@pytest.mark.parametrize(
    "use",
    [
        lambda e: bea.flow(e, [1.4, 1.1], (0, 1)),
        lambda e: bea.iterate(e, bea.GradientDescent(), [1.4, 1.1], 0.1, 3),
    ],
)
def test_where_a_field_is_needed_the_error_names_it(equation, use):
    with pytest.raises(TypeError, match=r"not ModifiedEquation: use its \.field\(\)"):
        use(equation)
    with pytest.raises(TypeError, match=r"not int$"):
        use(3)
