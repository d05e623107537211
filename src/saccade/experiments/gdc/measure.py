"""Tables I, IV and VII of the GDC paper: every image segmented with every branch and seed.

FOLDER/rows.jsonl keeps what is measured, so that the same command goes on where it was stopped,
and tables that share a folder share their measurements.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from saccade.batch import LocalProcesses, Worker, run_batch
from saccade.batch import Report as ReportStage
from saccade.experiments.engine.report import Report
from saccade.experiments.engine.rows import Key, Row, append_row, open_rows
from saccade.experiments.engine.samples import SPECS, Sample, SampleList
from saccade.experiments.gdc.image_tables import IMAGE_TABLES, preset_of
from saccade.experiments.gdc.report import markdown, summarize, write_report
from saccade.files import digest_of
from saccade.interactive.presets import PaperFitSettings, preset_named

RENAMED = {
    "DescentSettings(": "PaperFitSettings(",
    "placing=": "placement=",
    "evidence=": "fusion=",
    "judges=": "ensemble=",
    "fusion=False, refine=": "fusion=False, objects=False, refine=",
    "refine=None, max_pixels": "refine=None, refine_several=None, max_pixels",
    "norm='batch')": "norm='batch', standardize=True)",
    "conflict='unlabeled')": "conflict='unlabeled', statistics=1024)",
    "temperature=1.0)": "temperature=1.0, upsampling='guided', keep_strokes=True)",
}
"""Names in the settings of rows that were measured before classes and fields were renamed."""


@dataclass(frozen=True)
class Task:
    """One segmentation: an image, a branch of `image_tables.BRANCHES`, a seed."""

    sample: Sample
    branch: str
    seed: int

    @property
    def key(self) -> Key:
        """The key of its row."""
        return self.sample.set, self.sample.stem, self.branch, self.seed

    def __str__(self) -> str:
        return f"{self.sample.stem}: {self.branch}"


def count_tasks(name: str, samples: Sequence[Sample], seeds: Sequence[int]) -> int:
    """How many segmentations the table `name` needs."""
    return len(samples) * len(IMAGE_TABLES[name].branches) * len(seeds)


def run_table(
    name: str,
    samples: SampleList,
    folder: Path,
    *,
    seeds: Sequence[int],
    jobs: int,
    progress: Callable[[float, str], None],
    preset: str = "paper",
    features: str = "bundled",
) -> Report:
    """Measure what is missing and write the report.

    Args:
        name: of `IMAGE_TABLES`.
        samples: images to measure on.
        folder: must exist.
        seeds: of the random positions and weights.
        jobs: number of processes; 0 for one per core.
        progress: told how many segmentations are finished, and the last one.
        preset: of `TABLE_PRESETS`.
        features: "bundled", or a file of ImageNet's MobileNetV2, see `load_head`.

    Raises:
        InputError: the folder holds measurements with other settings, or the features cannot be
            used.
    """
    settings = shared_settings(preset, features)
    table, path = IMAGE_TABLES[name], folder / "rows.jsonl"
    tasks = plan_tasks(samples.samples, table.branches, seeds)
    known = open_rows(path, settings, RENAMED)
    outcome = run_batch(
        tasks,
        partial(_make_worker, preset, features),
        already=lambda task: known.get(task.key),
        executor=LocalProcesses(jobs),
        name=str,
        progress=progress,
        on_record=lambda task, row: append_row(path, row),
    )
    rows = {task.key: row for task, row in outcome.records.items()}
    failed = {task.sample: why for task, why in outcome.failed.items()}
    summaries = summarize(table, [task.key for task in tasks], rows, seeds)
    notes = (describe_preset(preset, features), *samples.remarks, *_failure_notes(failed))
    files = write_report(folder, table, summaries, rows, settings, notes)
    text = markdown(table, summaries, notes)
    return Report(
        text,
        tuple(files),
        {f"{sample.set}/{sample.stem}": why for sample, why in failed.items()},
        outcome.interruption if outcome.interrupted else "",
    )


def describe_preset(name: str, features: str) -> str:
    """What the tables are measured with, in words.

    Example:
        >>> describe_preset("paper-literal", "a/mobilenet.pth")[:46]
        'preset `paper-literal`, features mobilenet.pth'
    """
    preset = preset_named(name)
    assert isinstance(preset.fit, PaperFitSettings)
    frozen = "the bundled features" if features == "bundled" else f"features {Path(features).name}"
    parts = [
        f"{preset.draws} {'evenly placed' if preset.placement == 'even' else 'independent'} draws",
        "batch normalization" if preset.network.norm == "batch" else "no normalization",
        "standardized features" if preset.network.standardize else "features as they are",
        {"inverse": "inverse class weights", "paper": "class weights as printed"}.get(
            preset.fit.class_weight, "no class weights"
        ),
        f"momentum {preset.fit.momentum:g}, decay {preset.fit.weight_decay:g}",
        f"{preset.upsampling} enlargement",
        f"strokes {'keep their' if preset.keep_strokes else 'may lose their'} class",
    ]
    return f"preset `{name}`, {frozen}; {', '.join(parts)}"


def plan_tasks(
    samples: Sequence[Sample], branches: Sequence[str], seeds: Sequence[int]
) -> list[Task]:
    """All segmentations: those of an image together, the sets in turns."""
    turns: list[tuple[int, Sample]] = []
    for name in dict.fromkeys(s.set for s in samples):
        turns += enumerate(s for s in samples if s.set == name)
    ordered = [sample for _, sample in sorted(turns, key=lambda turn: turn[0])]
    return [Task(s, branch, seed) for s in ordered for seed in seeds for branch in branches]


def shared_settings(preset: str = "paper", features: str = "bundled") -> dict[str, Any]:
    """What rows must share to be compared: the preset except for its branch, and the features.

    Raises:
        InputError: features that cannot be read.
    """
    if features != "bundled":
        from saccade.models.weights import load_head

        load_head(features)
        return {"preset": repr(preset_named(preset)), "features": digest_of(Path(features))[:12]}
    from safetensors.numpy import load_file

    import saccade

    tensors = load_file(Path(saccade.__file__).parent / "models" / "bundled.safetensors")
    digest = hashlib.sha256()
    for name in sorted(name for name in tensors if name.startswith("head.")):
        digest.update(tensors[name].tobytes())
    return {"preset": repr(preset_named(preset)), "features": digest.hexdigest()[:12]}


def measure(task: Task, preset: str = "paper", features: str = "bundled") -> Row:
    """Segment one image on the CPU and count its pixels.

    Raises:
        InputError: the image cannot be used.
    """
    import numpy as np

    from saccade.evaluation.metrics import confusion_matrix
    from saccade.experiments.engine.load_samples import load_sample
    from saccade.interactive import segment

    loaded = load_sample(task.sample)
    start = time.perf_counter()
    chosen = preset_of(task.branch, preset, features)
    result = segment(loaded.image, loaded.strokes, preset=chosen, seed=task.seed, device="cpu")
    seconds = time.perf_counter() - start
    matrix = confusion_matrix(loaded.truth, result.labels, SPECS[task.sample.set].classes)
    return Row(task.key, matrix.astype(np.int32), seconds)


def _make_worker(preset: str, features: str) -> Worker[Task, Row]:
    def work(task: Task, report: ReportStage) -> Row:
        return measure(task, preset, features)

    return work


def _failure_notes(failed: Mapping[Sample, str]) -> list[str]:
    """One line per set on its images that could not be used, without the paths of this machine."""
    notes = []
    for name in dict.fromkeys(sample.set for sample in failed):
        stems = [sample.stem for sample in failed if sample.set == name]
        notes.append(f"{name}: {len(stems)} images could not be used, {stems[0]} for one")
    return notes
