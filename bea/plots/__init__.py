"""Pictures: functions that take results, and axes if asked; they return axes, a figure or an animation."""

from bea.plots.animation import noise_animation
from bea.plots.clocks import noise_clocks
from bea.plots.flow_comparison import flow_comparison
from bea.plots.modified_flow import modified_flow_figure
from bea.plots.noise import noise_cloud
from bea.plots.phase import phase_portrait
from bea.plots.slopes import error_against_step
from bea.plots.sparse import coordinate_paths, error_path, phase_diagram, stopping_windows
from bea.plots.surface import loss_surface
from bea.plots.trees import free_tree, rooted_tree, tree_table

__all__ = [
    "coordinate_paths",
    "error_against_step",
    "error_path",
    "flow_comparison",
    "free_tree",
    "loss_surface",
    "modified_flow_figure",
    "noise_animation",
    "noise_clocks",
    "noise_cloud",
    "phase_diagram",
    "phase_portrait",
    "rooted_tree",
    "stopping_windows",
    "tree_table",
]
