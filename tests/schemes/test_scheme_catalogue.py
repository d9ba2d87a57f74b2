"""The catalogue of schemes."""

import re

import pytest

from bea import schemes
from bea.schemes import SCHEMES, Scheme, get_scheme

REQUIRED = {
    *("gradient-descent", "explicit-euler", "implicit-euler", "explicit-midpoint", "implicit-midpoint"),
    *("heun", "heun3", "ralston", "ralston3", "second-order", "ssprk22", "ssprk33", "kutta3", "rk4"),
    *("three-eighths", "trapezoidal", "gauss2", "gauss3", "radau-iia2", "radau-iia3", "lobatto-iiia3"),
    *("lobatto-iiib3", "lobatto-iiic3", "bogacki-shampine", "dormand-prince5"),
}


def test_catalogue_holds_what_is_promised():
    assert set(SCHEMES) >= REQUIRED


@pytest.mark.parametrize(("name", "scheme"), SCHEMES.items())
def test_every_scheme_introduces_itself(name, scheme):
    instance = get_scheme(name)
    assert isinstance(instance, scheme)
    assert isinstance(instance, Scheme)
    assert instance.name == scheme.name == name
    assert getattr(schemes, scheme.__name__) is scheme
    assert scheme.order is None or isinstance(scheme.order, int)
    assert scheme.summary
    assert "\n" not in scheme.summary
    assert "]_" not in scheme.summary
    assert scheme.references
    assert all("(" in reference and reference.endswith(".") for reference in scheme.references)


def test_summary_and_references_come_from_the_docstring():
    assert schemes.RK4.summary == "The classical Runge–Kutta method, of order 4"
    assert schemes.RK4().references[0] == (
        "W. Kutta (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen, "
        "Zeitschrift für Mathematik und Physik 46, 435–453."
    )
    assert len(schemes.SecondOrder.references) == 2


def test_catalogue_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        SCHEMES["mine"] = schemes.RK4


def test_unknown_name_lists_near_matches():
    with pytest.raises(ValueError, match="no scheme named 'gradient-decent'; did you mean gradient-descent"):
        get_scheme("gradient-decent")
    with pytest.raises(ValueError, match=r"no scheme named 'xyzzy'.*bogacki-shampine.*trapezoidal"):
        get_scheme("xyzzy")
    assert get_scheme("RK4") == get_scheme("rk4")
    assert get_scheme(" Heavy_Ball ") == get_scheme("heavy-ball")
    with pytest.raises(ValueError, match="no scheme named 4"):
        get_scheme(4)


def test_a_scheme_with_constants_shows_these_and_what_is_not_as_by_default():
    assert repr(schemes.AlternatingDescent()) == "AlternatingDescent()"
    assert repr(schemes.RandomShuffling()) == "RandomShuffling()"
    assert repr(schemes.RandomShuffling(None, seed=2)) == "RandomShuffling(inner=None, seed=2)"
    assert repr(schemes.LieTrotter(sequence=(1, 0))) == "LieTrotter(sequence=(1, 0))"
    assert repr(schemes.Adam("1/2", eps=0)) == "Adam(beta1=1/2, beta2=beta2, eps=0)"
    assert repr(schemes.Adam(inside=False)) == "Adam(beta1=beta1, beta2=beta2, eps=eps, inside=False)"


@pytest.mark.parametrize("scheme", SCHEMES.values())
def test_no_scheme_shows_a_default(scheme):
    shown = repr(get_scheme(scheme.name))
    assert not re.search(r"=(True|False|None)\b", shown)
    assert shown.startswith(f"{scheme.__name__}(")
