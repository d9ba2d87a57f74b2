"""The tables of trees: numbers, products, cuts, and how they grow."""

from collections import Counter

import edge_subsets
import numpy as np
import pytest

from bea.series import RootedTree, clear_tables, count_trees, rooted_trees
from bea.series.tables import MAX_TREES, TreeTables, tree_tables


@pytest.fixture(params=[1, 2])
def tables(request):
    return TreeTables(request.param)


def test_every_tree_comes_once():
    for n in range(1, 10):
        assert {edge_subsets.nested(t.level_sequence) for t in rooted_trees(n)} == set(edge_subsets.trees(n))
        assert len(list(rooted_trees(n))) == count_trees(n)


def test_they_come_in_the_order_of_the_textbook():
    texts = [str(tree) for tree in rooted_trees(5)]
    assert texts[0] == "[•,•,•,•]"
    assert texts[-1] == "[[[[•]]]]"


def test_numbers_and_trees(tables):
    for n in range(1, 7):
        numbers = tables.numbers(n)
        assert len(numbers) == count_trees(n, tables.colours)
        assert [tables.number(tree) for tree in tables.trees(n)] == list(numbers)
        assert [tables.number(tables.tree(i)) for i in numbers] == list(numbers)
        assert all(tables.order_of[i] == n for i in numbers)


def test_root_colours(tables):
    tables.grow(5)
    assert [tables.tree(i).root_colour for i in range(len(tables.rest))] == tables.root_colours.tolist()


def test_rest_and_largest_child(tables):
    tables.grow(6)
    for i in range(tables.colours, len(tables.rest)):
        rest, child = tables.tree(tables.rest[i]), tables.tree(tables.child[i])
        assert rest.butcher_product(child) == tables.tree(i)
        assert tables.child[i] == max(tables.number(branch) for branch in tables.tree(i).children)


def test_products(tables):
    for n, m in [(1, 1), (1, 4), (3, 2), (4, 1), (2, 3)]:
        i, j = np.meshgrid(tables.numbers(n), tables.numbers(m), indexing="ij")
        for a, b, c in zip(i.flat, j.flat, tables.product(i, j).flat, strict=True):
            assert tables.tree(c) == tables.tree(a).butcher_product(tables.tree(b))


def test_cuts_are_those_of_single_edges():
    tables = TreeTables()
    for n in range(2, 8):
        roots, branches = tables.cuts(n)
        assert roots.shape == branches.shape == (count_trees(n), n - 1)
        for i, tree in enumerate(tables.trees(n)):
            found = Counter(
                (nested(tables, x), nested(tables, y)) for x, y in zip(roots[i], branches[i], strict=True)
            )
            expected = Counter(
                tuple(parts)
                for parts, _ in edge_subsets.partitions(edge_subsets.nested(tree.level_sequence))
                if len(parts) == 2
            )
            assert found == expected


def nested(tables, i):
    return edge_subsets.nested(tables.tree(i).level_sequence)


def test_rerooting_leads_to_every_rooting(tables):
    for n in range(1, 7):
        moved = tables.reroot(n)
        first = tables.numbers(n)[0]
        for i, j in zip(tables.numbers(n), moved, strict=True):
            assert tables.tree(i).free_tree == tables.tree(j).free_tree
        label = {i: i for i in tables.numbers(n)}
        for _ in range(n):
            for i, j in zip(tables.numbers(n), moved.tolist(), strict=True):
                label[i] = label[j] = min(label[i], label[j])
        classes = {tables.tree(i).free_tree for i in tables.numbers(n)}
        assert len(set(label.values())) == len(classes)
        assert first in label


def test_growing_keeps_what_is_there():
    small, large = TreeTables(), TreeTables()
    large.grow(9)
    for n in range(1, 10):
        for ours, theirs in zip(small.cuts(n), large.cuts(n), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_numbers_of_large_orders():
    tables = TreeTables().grow(13)
    assert np.diff(tables.start).tolist() == [0, *(count_trees(n) for n in range(1, 14))]
    roots, branches = tables.cuts(13)
    np.testing.assert_array_equal(tables.order_of[roots] + tables.order_of[branches], 13)


def test_too_many_trees_are_refused():
    with pytest.raises(ValueError, match=f"order 21 is too high: .* at most {MAX_TREES}"):
        tree_tables(21)
    with pytest.raises(ValueError, match="in 2 colour"):
        rooted_trees(30, colours=2)


def test_colours_beyond_those_of_the_tables_are_refused():
    with pytest.raises(ValueError, match="colours beyond the 1 of these tables"):
        tree_tables(2).number(RootedTree([1, 2], [0, 1]))


def test_tables_are_shared_until_they_are_cleared():
    tables = tree_tables(4)
    assert tree_tables(3) is tables
    clear_tables()
    assert tree_tables(3) is not tables
