"""Drawings of rooted trees: places, edges and captions."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PathCollection

from bea import plots
from bea.plots.trees import free_tree_layout, tree_layout
from bea.schemes import ExplicitEuler, SecondOrder
from bea.series import EMPTY, FlowSeries, RootedTree, bseries, rooted_trees

FIVE = RootedTree([1, 2, 3, 3, 2])


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def edges_of(ax):
    return [c for c in ax.collections if isinstance(c, LineCollection)]


def vertices_of(ax):
    return [c for c in ax.collections if isinstance(c, PathCollection)]


def captions_of(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("order", range(1, 9))
def test_vertices_of_one_level_are_at_least_one_apart_and_in_order(order):
    for tree in rooted_trees(order):
        places = tree_layout(tree)
        np.testing.assert_array_equal(places[:, 1], np.array(tree.level_sequence) - 1)
        for level in set(tree.level_sequence):
            assert (np.diff(places[places[:, 1] == level - 1, 0]) > 1 - 1e-12).all()


def test_a_parent_stands_amid_its_children():
    for tree in rooted_trees(7):
        places = tree_layout(tree)
        assert places[0].tolist() == [0, 0]
        children = places[places[:, 1] == 1, 0]
        assert children[0] + children[-1] == pytest.approx(0)


def crosses(first, second):
    """Whether two segments between the same two levels cross."""
    (a, b), (c, d) = first, second
    return a[1] == c[1] and (a[0] - c[0]) * (b[0] - d[0]) < 0


def test_no_edges_cross():
    _, ax = plt.subplots()
    for tree in rooted_trees(7):
        plots.rooted_tree(tree, ax=ax)
    drawn = edges_of(ax)
    assert len(drawn) == 48
    for edges in drawn:
        assert not any(crosses(e, f) for e, f in combinations(edges.get_segments(), 2))


def test_the_check_for_crossings_sees_one():
    assert crosses(np.array([[0, 0], [1, 1]]), np.array([[1, 0], [0, 1]]))


def test_edges_join_parents_and_children():
    ax = plots.rooted_tree(FIVE)
    (vertices,), (edges,) = vertices_of(ax), edges_of(ax)
    places = [tuple(p) for p in vertices.get_offsets()]
    assert len(set(places)) == 5
    joined = {(places.index(tuple(a)), places.index(tuple(b))) for a, b in edges.get_segments()}
    assert joined == {(0, 1), (1, 2), (1, 3), (0, 4)}


def test_colours_of_vertices_are_told_apart():
    ax = plots.rooted_tree(RootedTree([1, 2, 2], colours=[0, 1, 2]))
    fills = {tuple(colour) for colour in vertices_of(ax)[0].get_facecolor()}
    assert len(fills) == 3
    assert {(0, 0, 0, 1), (1, 1, 1, 1)} < fills


@pytest.mark.parametrize(
    "draw", [lambda ax: plots.rooted_tree(FIVE, ax=ax), lambda ax: plots.tree_table(3, ax=ax)]
)
def test_given_axes_are_drawn_on(draw):
    _, ax = plt.subplots()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1


def free_trees(order):
    return list(dict.fromkeys(tree.free_tree for tree in rooted_trees(order)))


def test_free_trees_are_drawn_with_their_own_edges_and_no_crossing():
    for order in range(1, 9):
        for tree in free_trees(order):
            ax = plots.free_tree(tree)
            (vertices,), (edges,) = vertices_of(ax), edges_of(ax)
            places = [tuple(p) for p in vertices.get_offsets()]
            segments = edges.get_segments()
            assert (
                min((np.abs(np.subtract(p, q)).max() for p, q in combinations(places, 2)), default=1) > 0.99
            )
            assert not any(crosses(e, f) for e, f in combinations(segments, 2) if e[0][1] != e[1][1])
            joined = {frozenset((places.index(tuple(a)), places.index(tuple(b)))) for a, b in segments}
            assert rooted_at_zero(order, joined).free_tree == tree
            plt.close(ax.figure)


def rooted_at_zero(order, edges):
    """The tree with these edges, read off from vertex 0."""

    def levels(i, parent, level):
        below = [j for j in range(order) if j != parent and frozenset((i, j)) in edges]
        return [level, *(entry for j in below for entry in levels(j, i, level + 1))]

    return RootedTree(levels(0, None, 1))


def test_a_longest_path_of_a_free_tree_lies_level():
    places = free_tree_layout(RootedTree([1, 2, 3, 4, 2, 3, 3]).free_tree)
    level = places[places[:, 1] == 0, 0]
    assert len(level) == 6
    assert (np.diff(level) >= 1).all()
    assert level[0] + level[-1] == pytest.approx(0)


class TestTable:
    def test_every_tree_is_drawn_once_and_apart_from_the_others(self):
        ax = plots.tree_table(5)
        assert len(vertices_of(ax)) == len(edges_of(ax)) == 17
        places = np.concatenate([v.get_offsets() for v in vertices_of(ax)])
        gaps = [np.abs(p - q).max() for p, q in combinations(places, 2)]
        assert min(gaps) > 0.99
        sequences = [text for text in captions_of(ax) if text.startswith("[")]
        assert len(set(sequences)) == len(sequences) == 17

    def test_a_tree_given_twice_is_drawn_once(self):
        assert len(vertices_of(plots.tree_table([FIVE, RootedTree([1, 2, 2, 3, 3])]))) == 1

    def test_captions_are_the_numbers_of_the_tree_and_its_coefficient(self):
        ax = plots.tree_table([RootedTree([1, 2, 3, 2])], series=bseries(ExplicitEuler(), order=4).log())
        assert captions_of(ax) == ["[1,2,3,2]", "σ = 1   γ = 8", "−1/12"]

    def test_coefficients_may_be_symbols_or_floats(self):
        tree = RootedTree([1, 2, 2])
        modified = bseries(SecondOrder(), order=3).log()
        assert captions_of(plots.tree_table([tree], series=modified))[2] == r"$\alpha / 2 - 1 / 3$"
        floats = FlowSeries({RootedTree([1]): 1.0, tree: -0.25})
        assert captions_of(plots.tree_table([tree], series=floats))[2] == "−0.25"

    def test_free_trees_show_their_factors_in_the_modified_loss(self):
        euler = bseries(ExplicitEuler(), order=3).log()
        ax = plots.tree_table([*free_trees(1), *free_trees(2)], series=euler)
        assert captions_of(ax) == ["[1]", "σ = 1", "1", "[1,2]", "σ = 2", "1/4"]
        with pytest.raises(ValueError, match="have different coefficients, so there is no modified loss"):
            plots.tree_table(free_trees(3), series=euler)

    def test_no_captions_of_free_trees_overlap_and_no_drawings(self):
        ax = plots.tree_table([tree for n in range(1, 8) for tree in free_trees(n)])
        assert len(vertices_of(ax)) == 1 + 1 + 1 + 2 + 3 + 6 + 11
        ax.figure.canvas.draw()
        boxes = [text.get_window_extent() for text in ax.texts]
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
        places = np.concatenate([v.get_offsets() for v in vertices_of(ax)])
        assert min(np.abs(p - q).max() for p, q in combinations(places, 2)) > 0.99

    @pytest.mark.parametrize("columns", [1, 3, 8])
    def test_no_captions_overlap(self, columns):
        ax = plots.tree_table(5, series=bseries(SecondOrder(), order=5).log(), columns=columns)
        ax.figure.canvas.draw()
        boxes = [text.get_window_extent() for text in ax.texts]
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))

    def test_a_row_has_no_more_trees_than_columns(self):
        rows = {}
        for vertices in vertices_of(plots.tree_table(6, columns=5)):
            x, y = vertices.get_offsets()[0]
            rows.setdefault(round(float(y), 6), []).append(x)
        assert max(map(len, rows.values())) <= 5
        assert sum(map(len, rows.values())) == 37


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plots.rooted_tree([1, 2]), TypeError, "a RootedTree is drawn"),
        (lambda: plots.rooted_tree(EMPTY), ValueError, "no vertex to draw"),
        (lambda: plots.rooted_tree(FIVE, ax="here"), TypeError, "ax must be"),
        (lambda: plots.free_tree(FIVE), TypeError, "a FreeTree is drawn"),
        (lambda: plots.tree_table(2.5), TypeError, "an order or trees"),
        (lambda: plots.tree_table(0), ValueError, "positive integer"),
        (lambda: plots.tree_table(10**9), ValueError, "up to order 9 at most"),
        (lambda: plots.tree_table([]), ValueError, "from 1 to 500 trees, not 0"),
        (lambda: plots.tree_table([EMPTY]), ValueError, "no vertex to draw"),
        (lambda: plots.tree_table(3, columns=0), ValueError, "columns must be"),
        (lambda: plots.tree_table(3, series=FlowSeries.exact(order=2)), ValueError, "has no coefficient of"),
        (lambda: plots.tree_table(3, series={}), ValueError, "has no coefficient of"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    assert not plt.get_fignums()
