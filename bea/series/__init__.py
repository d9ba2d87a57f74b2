"""The algebra: rooted trees and B-series, exact."""
from bea.series.trees import RootedTree as RootedTree, EMPTY as EMPTY
from bea.series.free_trees import FreeTree as FreeTree
from bea.series.counting import count_trees as count_trees
from bea.series.tables import rooted_trees as rooted_trees
