"""All flows beside one run: closed forms on quadratic losses, the table and the figure."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bea
from bea.nets.comparison import FLOWS, compare_flows
from bea.nets.principal_flow import principal_field, principal_path
from bea.plots.flow_comparison import flow_comparison

EIGENVALUES = np.array([0.2, 1.0, 3.0])


def quadratic(x):
    return jnp.sum(jnp.asarray(EIGENVALUES) * x**2) / 2


def rates(name, h):
    z = h * EIGENVALUES
    series = np.array([1 + 0 * z, z / 2, z**2 / 3, z**3 / 4])
    return -EIGENVALUES * series[: FLOWS.index(name) + 1].sum(axis=0)


@pytest.fixture(scope="module", params=[0.2, 0.6])
def compared(request):
    with jax.enable_x64(True):
        return compare_flows(quadratic, jnp.ones(3), request.param, 20, points=10, substeps=100)


def test_distances_on_a_quadratic_loss(compared):
    h = compared.h
    iterates = (1 - h * EIGENVALUES) ** compared.n[:, None]
    way = np.linalg.norm(iterates - 1, axis=1)
    way[0] = 1
    for name in FLOWS[:4]:
        flown = np.exp(np.multiply.outer(h * compared.n, rates(name, h)))
        expected = np.linalg.norm(flown - iterates, axis=1) / way
        assert compared[name].distance == pytest.approx(expected, abs=1e-6)
        ends = iterates * np.exp(h * rates(name, h))
        length = np.linalg.norm(iterates * h * EIGENVALUES, axis=1)
        local = np.linalg.norm(ends - iterates * (1 - h * EIGENVALUES), axis=1) / length
        assert compared[name].one_step == pytest.approx(local, abs=1e-6)
    assert compared["principal flow"].distance == pytest.approx(0, abs=1e-6)
    assert compared.product == pytest.approx(3 * h)


def test_the_third_order_is_best_of_the_series_and_the_gradient_flow_worst(compared):
    errors = [compared[name].one_step[0] for name in FLOWS[:4]]
    assert errors == sorted(errors, reverse=True)


def test_where_flows_break_down():
    with jax.enable_x64(True):
        found = compare_flows(quadratic, jnp.ones(3), 0.6, 20, points=20, share=0.05)
    assert found["gradient flow"].breaks_down is not None
    assert found["gradient flow"].product == pytest.approx(1.8)
    assert found["principal flow"].breaks_down is None
    assert found["central flow"].one_step is None


def test_a_start_beyond_the_edge_has_no_central_flow():
    found = compare_flows(lambda x: jnp.sum(jnp.sqrt(1 + x**2)), jnp.array([0.1]), 2.5, 4, points=4)
    assert found["central flow"].remark == "starts beyond 2/h"
    assert found["central flow"].breaks_down == 0


def test_table_and_dictionary(compared):
    text = repr(compared)
    assert all(name in text for name in FLOWS)
    assert "breaks down" in text
    assert compared._repr_html_().count("<tr>") == len(FLOWS) + 1
    copy = json.loads(json.dumps(compared.to_dict()))
    assert [flow["name"] for flow in copy["flows"]] == list(FLOWS)
    assert copy["h"] == compared.h


def test_the_figure_has_three_panels(compared):
    axes = flow_comparison(compared)
    assert [ax.get_xlabel() for ax in axes] == ["step of descent", "step of descent", "h · sharpness"]
    with pytest.raises(ValueError, match="three axes"):
        flow_comparison(compared, ax=axes[:2])


def test_bad_input_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="flows must be some of"):
        compare_flows(quadratic, jnp.ones(3), 0.1, 10, flows=["fourth order"])
    with pytest.raises(ValueError, match="steps must be an integer"):
        compare_flows(quadratic, jnp.ones(3), 0.1, 0)
    with pytest.raises(ValueError, match="h must be a positive number"):
        compare_flows(quadratic, jnp.ones(3), 0.0, 10)
    with pytest.raises(ValueError, match="does not stay finite"):
        compare_flows(lambda x: jnp.sum(x**4), jnp.array([10.0]), 1.0, 20)
    with pytest.raises(KeyError, match="no flow"):
        compare_flows(quadratic, jnp.ones(3), 0.1, 2, flows=["first order"])["central flow"]


# -- the principal flow ----------------------------------------------------------------------------------


@pytest.mark.parametrize("h", [0.05, 0.3])
def test_principal_field_agrees_with_the_symbolic_side(h):
    """Where hλ < 1 and where hλ > 1 for one eigenvalue."""
    loss = bea.Loss("(0.6 - a*b)**2 / 2", variables="a b")
    x = np.array([1.3, 1.9])
    with jax.enable_x64(True):
        ours = principal_field(lambda w: (0.6 - w[0] * w[1]) ** 2 / 2, jnp.array(x), h)
    expected = bea.principal_flow(loss, x, h)
    assert np.asarray(ours) == pytest.approx(expected, rel=1e-10)
    assert (abs(expected.imag).max() > 0) == (h == 0.3)


def test_principal_path_passes_through_iterates_that_oscillate_and_diverge():
    with jax.enable_x64(True):
        path = principal_path(quadratic, jnp.ones(3), 0.7, 7.0, 1600)
    assert np.asarray(path.params) == pytest.approx((1 - 0.7 * EIGENVALUES) ** 10, abs=1e-6)
    assert path.diverged_at is None


def test_one_leading_eigenvector_and_the_series_for_the_rest():
    """Only the leading eigenvalue is large: two terms of the series miss the rest by h³λ⁴/4 of it."""
    values = jnp.concatenate([jnp.array([3.0]), jnp.linspace(0.01, 0.1, 39)])

    def loss(x):
        return jnp.sum(values * x**2) / 2

    with jax.enable_x64(True):
        x = jnp.ones(40)
        one = np.asarray(principal_field(loss, x, 0.6, count=1))
        z = 0.6 * np.asarray(values)
        exact = np.log(1 - z + 0j) / 0.6
    assert one[0] == pytest.approx(exact[0], rel=1e-6)
    assert abs(one - exact)[1:].max() < 0.6**3 * 0.1**4
    assert abs(-np.asarray(values) - exact)[1:].max() > 1e-3
