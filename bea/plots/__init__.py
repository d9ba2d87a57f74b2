"""Pictures: every function takes results and, if asked, the axes to draw on, and returns the axes."""

from bea.plots.modified_flow import modified_flow_figure
from bea.plots.phase import phase_portrait
from bea.plots.slopes import error_against_step
from bea.plots.sparse import coordinate_paths, error_path, phase_diagram, stopping_windows
from bea.plots.surface import loss_surface
from bea.plots.trees import free_tree, rooted_tree, tree_table

__all__ = [
    "coordinate_paths",
    "error_against_step",
    "error_path",
    "free_tree",
    "loss_surface",
    "modified_flow_figure",
    "phase_diagram",
    "phase_portrait",
    "rooted_tree",
    "stopping_windows",
    "tree_table",
]
