"""Rooted trees: canonical form, numbers, products, free trees, display."""

from itertools import permutations
from math import factorial

import edge_subsets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bea.series import EMPTY, FreeTree, RootedTree, count_trees, rooted_trees

#: The first call of a compiled loop may compile it.
patient = settings(deadline=None)


def vertices_of(levels):
    """The parent of each vertex of a level sequence, −1 for the root."""
    return [max((j for j in range(i) if levels[j] == levels[i] - 1), default=-1) for i in range(len(levels))]


@st.composite
def level_sequences(draw, most=9):
    levels = [1]
    for _ in range(draw(st.integers(0, most - 1))):
        levels.append(draw(st.integers(2, levels[-1] + 1)))
    return levels


class TestLevelSequences:
    @patient
    @given(level_sequences())
    def test_the_canonical_one_is_the_same_tree_and_the_greatest(self, levels):
        tree = RootedTree(levels)
        assert edge_subsets.nested(tree.level_sequence) == edge_subsets.nested(levels)
        assert list(tree.level_sequence) >= levels

    def test_the_canonical_one_is_the_greatest_of_all(self):
        for n in range(1, 7):
            every = all_level_sequences(n)
            for tree in rooted_trees(n):
                same = [
                    s for s in every if edge_subsets.nested(s) == edge_subsets.nested(tree.level_sequence)
                ]
                assert list(tree.level_sequence) == max(same)

    def test_it_may_begin_with_any_level(self):
        assert RootedTree([0, 1, 2, 1]) == RootedTree([5, 6, 6, 7]) == RootedTree([1, 2, 3, 2])

    @pytest.mark.parametrize("levels", [[1, 3], [1, 2, 4], [1, 2, 1], [2, 3, 1], [1, 1]])
    def test_what_no_tree_has_is_refused(self, levels):
        with pytest.raises(ValueError, match="no tree has the level sequence"):
            RootedTree(levels)

    @pytest.mark.parametrize("levels", ["12", 3, [1, 2.5], [1, "2"], [True, 2], None])
    def test_what_is_no_sequence_of_integers_is_refused(self, levels):
        with pytest.raises(TypeError, match="integers"):
            RootedTree(levels)

    def test_from_children(self):
        cherry = RootedTree([1, 2, 2])
        assert RootedTree.from_children([cherry, []]) == RootedTree([1, 2, 3, 3, 2])
        assert RootedTree.from_children([]) == RootedTree([1])
        assert RootedTree.from_children(cherry.children, colour=1) == RootedTree([1, 2, 2], [1, 0, 0])

    @pytest.mark.parametrize("children", [[1], ["[]"], [None]])
    def test_children_must_be_trees(self, children):
        with pytest.raises(TypeError, match="a child is a RootedTree"):
            RootedTree.from_children(children)

    def test_a_child_cannot_be_empty(self):
        with pytest.raises(ValueError, match="no root"):
            RootedTree.from_children([EMPTY])

    def test_tall_trees_are_no_problem(self):
        tall = RootedTree(range(1, 2001))
        assert tall.order == 2000
        assert tall.symmetry == 1
        assert tall.density == factorial(2000)
        assert tall.labellings == 1


def all_level_sequences(n):
    sequences = [[1]]
    for _ in range(n - 1):
        sequences = [[*s, level] for s in sequences for level in range(2, s[-1] + 2)]
    return sequences


class TestNumbers:
    def test_table_of_hairer_lubich_wanner(self):
        """Geometric Numerical Integration, Table III.1.1, with labellings from Hairer, Nørsett and Wanner."""
        table = {
            (1,): (1, 1, 1),
            (1, 2): (1, 2, 1),
            (1, 2, 2): (2, 3, 1),
            (1, 2, 3): (1, 6, 1),
            (1, 2, 2, 2): (6, 4, 1),
            (1, 2, 3, 2): (1, 8, 3),
            (1, 2, 3, 3): (2, 12, 1),
            (1, 2, 3, 4): (1, 24, 1),
        }
        for levels, numbers in table.items():
            tree = RootedTree(levels)
            assert (tree.symmetry, tree.density, tree.labellings) == numbers

    @patient
    @given(level_sequences(most=6))
    def test_symmetry_counts_automorphisms_and_labellings_count_monotone_ones(self, levels):
        tree, parent = RootedTree(levels), vertices_of(levels)
        n = len(levels)
        automorphisms = monotone = 0
        for image in permutations(range(n)):
            automorphisms += all((image[parent[v]] if v else -1) == parent[image[v]] for v in range(n))
            monotone += all(image[parent[v]] < image[v] for v in range(1, n))
        assert tree.symmetry == automorphisms
        assert tree.labellings == monotone // automorphisms
        assert factorial(n) // tree.density == monotone

    def test_labellings_of_all_trees_of_an_order(self):
        for n in range(1, 9):
            assert sum(tree.labellings for tree in rooted_trees(n)) == factorial(n - 1)

    def test_counts(self):
        """A000081 and, for two colours, A000151 of the On-Line Encyclopedia of Integer Sequences."""
        assert [count_trees(n) for n in range(1, 13)] == [1, 1, 2, 4, 9, 20, 48, 115, 286, 719, 1842, 4766]
        assert [count_trees(n) for n in (15, 20)] == [87811, 12826228]
        assert [count_trees(n, colours=2) for n in range(1, 7)] == [2, 4, 14, 52, 214, 916]
        assert sum(count_trees(n) for n in range(1, 11)) == 1205

    @pytest.mark.parametrize("order", [0, -1, 2.0, True, "3"])
    def test_an_order_is_a_positive_integer(self, order):
        with pytest.raises(ValueError, match="the order must be a positive integer"):
            count_trees(order)
        with pytest.raises(ValueError, match="the order must be a positive integer"):
            rooted_trees(order)

    def test_colours_are_counted(self):
        with pytest.raises(ValueError, match="number of colours must be a positive integer"):
            count_trees(3, colours=0)


class TestProducts:
    @patient
    @given(level_sequences(), level_sequences())
    def test_butcher_product(self, u, v):
        tree = RootedTree(u).butcher_product(RootedTree(v))
        branches = (*edge_subsets.nested(u), edge_subsets.nested(v))
        assert edge_subsets.nested(tree.level_sequence) == tuple(sorted(branches))

    @patient
    @given(level_sequences(most=6), level_sequences(most=4))
    def test_grafting(self, u, v):
        grafted = RootedTree(u).graft(RootedTree(v))
        assert sum(grafted.values()) == len(u)
        for i in range(len(u)):
            levels = [*u[: i + 1], *(level + u[i] for level in v), *u[i + 1 :]]
            assert RootedTree(levels) in grafted

    @patient
    @given(level_sequences(most=4), level_sequences(most=4), level_sequences(most=4))
    def test_grafting_is_pre_lie(self, u, v, w):
        """(u ◁ v) ◁ w − u ◁ (v ◁ w) does not change when v and w change places."""
        u, v, w = map(RootedTree, (u, v, w))

        def associator(v, w):
            total = {}
            for tree, m in u.graft(v).items():
                for result, k in tree.graft(w).items():
                    total[result] = total.get(result, 0) + m * k
            for tree, m in v.graft(w).items():
                for result, k in u.graft(tree).items():
                    total[result] = total.get(result, 0) - m * k
            return {tree: m for tree, m in total.items() if m}

        assert associator(v, w) == associator(w, v)

    def test_the_empty_tree_has_no_root(self):
        dot = RootedTree([1])
        for call in (dot.butcher_product, dot.graft):
            with pytest.raises(ValueError, match="the empty tree has no root"):
                call(EMPTY)
        with pytest.raises(ValueError, match="the empty tree"):
            _ = EMPTY.free_tree
        with pytest.raises(ValueError, match="the empty tree has no root"):
            _ = EMPTY.root_colour

    def test_the_empty_tree(self):
        assert RootedTree([]) == EMPTY
        assert RootedTree([1]) != EMPTY
        assert (EMPTY.order, EMPTY.symmetry, EMPTY.density, EMPTY.labellings) == (0, 1, 1, 1)
        assert EMPTY.children == ()


class TestFreeTrees:
    def test_counts(self):
        """A000055 of the On-Line Encyclopedia of Integer Sequences."""
        counts = [len({tree.free_tree for tree in rooted_trees(n)}) for n in range(1, 10)]
        assert counts == [1, 1, 1, 2, 3, 6, 11, 23, 47]

    @patient
    @given(level_sequences())
    def test_rootings_share_out_the_vertices(self, levels):
        tree = RootedTree(levels)
        free = FreeTree(tree)
        assert sum(free.rootings.values()) == free.order == tree.order
        assert tree in free.rootings
        for rooting, vertices in free.rootings.items():
            assert rooting.free_tree == free
            assert rooting.symmetry * vertices == free.symmetry

    def test_colours_stay_with_their_vertices(self):
        path = RootedTree([1, 2], colours=[0, 1]).free_tree
        assert set(path.rootings) == {RootedTree([1, 2], [0, 1]), RootedTree([1, 2], [1, 0])}

    def test_equality_and_text(self):
        path, star = FreeTree(RootedTree([1, 2, 3, 4])), FreeTree(RootedTree([1, 2, 2, 2]))
        assert path != star
        assert path == FreeTree(RootedTree([1, 2, 3, 2]))
        assert repr(path) == "FreeTree(RootedTree([1, 2, 3, 4]))"


class TestDisplay:
    @pytest.mark.parametrize(
        ("levels", "colours", "text"),
        [
            ([], None, "∅"),
            ([1], None, "•"),
            ([1], [1], "∘"),
            ([1, 2, 3, 2], None, "[[•],•]"),
            ([1, 2, 3, 4, 2, 2], None, "[[[•]],•,•]"),
            ([1, 2, 2, 3], [1, 0, 1, 0], "∘[∘[•],•]"),
            ([1, 2], [0, 9], "•[(9)]"),
        ],
    )
    def test_text(self, levels, colours, text):
        assert str(RootedTree(levels, colours)) == text

    def test_latex(self):
        tree = RootedTree([1, 2, 3, 2])
        assert tree.latex == r"[[\bullet],\bullet]"
        assert tree._repr_latex_() == r"$[[\bullet],\bullet]$"
        assert EMPTY.latex == r"\emptyset"
        assert RootedTree([1, 2], [1, 0]).latex == r"\circ[\bullet]"

    def test_repr_is_the_constructor(self):
        assert repr(EMPTY) == "RootedTree([])"
        assert repr(RootedTree([0, 1, 1, 2])) == "RootedTree([1, 2, 3, 2])"
        assert repr(RootedTree([1, 2, 2], [0, 0, 1])) == "RootedTree([1, 2, 2], colours=[0, 1, 0])"

    def test_every_tree_of_an_order_has_its_own_text(self):
        assert len({str(tree) for tree in rooted_trees(8)}) == 115


class TestColours:
    def test_the_canonical_form_sees_colours(self):
        assert RootedTree([1, 2, 2], [0, 1, 0]) == RootedTree([1, 2, 2], [0, 0, 1])
        assert RootedTree([1, 2, 2], [0, 1, 0]) != RootedTree([1, 2, 2], [1, 0, 0])
        assert RootedTree([1, 2, 2], [0, 1, 0]).symmetry == 1
        assert RootedTree([1, 2, 2], [0, 1, 1]).symmetry == 2

    def test_they_must_fit(self):
        with pytest.raises(ValueError, match="each of the 2 vertices needs one colour, but 3 were given"):
            RootedTree([1, 2], [0, 1, 0])
        with pytest.raises(ValueError, match="colours are numbered"):
            RootedTree([1, 2], [0, -1])
