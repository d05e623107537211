"""The kinds of stages that a recipe may have."""

from scripts.train_bundled import fit, fusion, kind_task, object_task
from scripts.train_bundled.tasks import Kind

KINDS: dict[str, Kind] = {
    "fit": fit.KIND,
    "object": object_task.KIND,
    "fusion": fusion.KIND,
    "kinds": kind_task.KIND,
}
