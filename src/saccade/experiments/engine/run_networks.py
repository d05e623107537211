"""A table of trained networks: every row trained and evaluated with every seed, then the report."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

from saccade.batch import Report as ReportStage
from saccade.batch import Worker, run_batch
from saccade.data.sets import LabeledSet
from saccade.errors import InputError
from saccade.evaluation.inference import Protocol
from saccade.experiments.engine.labels import LabelSource, Progress, label_notes, make_labels
from saccade.experiments.engine.network_config import (
    NetworkPlan,
    check_sizes,
    chosen_rows,
    result_settings,
    run_config,
)
from saccade.experiments.engine.network_report import (
    NetworkRow,
    ReportFacts,
    write_curves,
    write_network_report,
)
from saccade.experiments.engine.network_tables import NetworkTable, Variant
from saccade.experiments.engine.report import Report
from saccade.files import atomic_write
from saccade.models.checkpoint import load_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.refine.dense_crf import DENSE_CRF_CONFIGS
from saccade.strict_json import json_text
from saccade.training.checkpointing import BEST, LAST
from saccade.training.config import TrainConfig
from saccade.training.evaluate import Scores, evaluate
from saccade.training.frozen import MapMemory
from saccade.training.inputs import open_sets
from saccade.training.loop import train
from saccade.training.optim_config import OptimConfig
from saccade.training.state import STATE
from saccade.training.supervision import SupervisionConfig


@dataclass(frozen=True)
class NetworkRun:
    """One row with one seed, in FOLDER/runs/NAME-seedN."""

    label: str
    seed: int

    def __str__(self) -> str:
        return f"{self.label}, seed {self.seed}"


@dataclass(frozen=True)
class _Job:
    """What there is to do for a run."""

    row: Variant
    config: TrainConfig
    folder: Path
    trained_in: Path  # where its network is
    device: str

    @property
    def result(self) -> Path:
        return self.folder / "result.json"


def count_runs(
    table: NetworkTable,
    seeds: Sequence[int],
    only: Sequence[str] = (),
    plan: NetworkPlan | None = None,
) -> int:
    """How many trainings and evaluations a table needs; raises as `chosen_rows`."""
    return len(chosen_rows(table, only, plan)) * len(seeds)


def run_networks(
    table: NetworkTable,
    plan: NetworkPlan,
    folder: Path,
    *,
    seeds: Sequence[int],
    progress: Progress,
    sources: Sequence[LabelSource] = (),
    only: Sequence[str] = (),
) -> Report:
    """Train what is missing and write the report.

    FOLDER/runs keeps a folder per row and seed with the trained network and its result; a run
    that was stopped goes on where it was. Seeds are the outer loop, so that a table with fewer
    seeds is there early.

    Args:
        table: its rows.
        plan: data, schedule, device.
        folder: must exist.
        seeds: of weights, order and augmentation.
        progress: told how many runs are finished.
        sources: of the label images that rows ask for.
        only: rows to measure, as in `chosen_rows`.

    Raises:
        InputError: data or label images that cannot be used, or runs in FOLDER with other settings.
    """
    training, val = open_sets(plan.data)
    if val is None:
        raise InputError("data: val is empty, a table needs a split to evaluate on")
    images = {plan.data.train: len(training.examples), plan.data.val: len(val.examples)}
    check_sizes(table, plan, images)
    progress(0, ", ".join(f"{count:,} images of {split!r}" for split, count in images.items()))
    rows = chosen_rows(table, only, plan)
    kinds = list(dict.fromkeys(row.labels for row in rows.values() if row.labels))
    masks = make_labels(kinds, sources, plan, folder / "labels", progress)
    about = label_notes(kinds, sources, plan, masks)
    jobs = _plan_jobs(table, plan, folder, seeds, rows, masks)
    memory = MapMemory()  # rows with the same backbone share its maps

    def make_worker() -> Worker[NetworkRun, NetworkRow]:
        def work(run: NetworkRun, report: ReportStage) -> NetworkRow:
            _measure(jobs[run], val, report, memory)
            return _read_result(jobs[run], run)

        return work

    outcome = run_batch(
        list(jobs),
        make_worker,
        already=lambda run: _read_result(jobs[run], run) if jobs[run].result.is_file() else None,
        progress=progress,
    )
    measured = [outcome.records[run] for run in jobs if run in outcome.records]
    notes = (*table.notes, *training.remarks, *val.remarks, *about)
    text, files = write_network_report(
        folder, table, plan, measured, ReportFacts(images, tuple(dict.fromkeys(notes)))
    )
    if plan.curve:
        files.append(
            write_curves(folder, table, [(run.label, run.seed, jobs[run].folder) for run in jobs])
        )
    failed = {str(run): why for run, why in outcome.failed.items()}
    return Report(text, tuple(files), failed, outcome.interruption if outcome.interrupted else "")


def _plan_jobs(
    table: NetworkTable,
    plan: NetworkPlan,
    folder: Path,
    seeds: Sequence[int],
    rows: Mapping[str, Variant],
    masks: Mapping[str, Path],
) -> dict[NetworkRun, _Job]:
    jobs = {}
    for seed in seeds:
        for label, row in rows.items():
            config = run_config(table, row, plan, seed, masks.get(row.labels))
            if row.start:
                before = folder / "runs" / f"{row.start}-seed{seed}" / LAST
                config = replace(config, start=str(before))
            home = folder / "runs" / f"{row.run}-seed{seed}"
            network = folder / "runs" / f"{row.trained_as or row.run}-seed{seed}"
            device = "cuda" if plan.device == "cuda" else "cpu"
            jobs[NetworkRun(label, seed)] = _Job(row, config, home, network, device)
    return jobs


def _measure(job: _Job, val: LabeledSet, report: ReportStage, memory: MapMemory) -> None:
    """Train and evaluate, or evaluate another row's network in another way; writes the result."""
    job.folder.mkdir(parents=True, exist_ok=True)
    if job.row.trained_as:
        net = load_checkpoint(job.trained_in / LAST, device=job.device).net
        scores = evaluate(
            net,
            val,
            Protocol(**job.row.protocol),
            device=job.device,
            crf=DENSE_CRF_CONFIGS[job.row.crf] if job.row.crf else None,
            progress=lambda n, total: report(n / max(total, 1), "evaluating"),
        )
        speed = 0.0
    else:
        net, scores, speed = _train(job, val, report, memory)
    content = {
        "config": result_settings(job.config),
        "matrix": scores.matrix.tolist(),
        "parameters": sum(p.numel() for p in net.parameters()),
        "head_parameters": sum(p.numel() for p in net.head.parameters()),
        "training_images_per_second": speed,
        "seconds_per_image": _latency(net),
    }
    with atomic_write(job.result) as path:
        path.write_text(json_text(content) + "\n", encoding="utf-8")


def _train(
    job: _Job, val: LabeledSet, report: ReportStage, memory: MapMemory
) -> tuple[SegmentationNet, Scores, float]:
    """The network, its scores, and images a second in training; 0 for a run that was resumed."""
    protocol = Protocol(**job.row.protocol)
    trained = train(
        job.config,
        job.folder,
        protocol=protocol,
        report=lambda step, steps, text: report(step / max(steps, 1), text),
        memory=memory,
    )
    if trained.interrupted:
        raise KeyboardInterrupt
    images = trained.step * job.config.optim.batch
    speed = images / trained.seconds if trained.step == trained.steps else 0.0
    (job.folder / STATE).unlink(missing_ok=True)
    (job.folder / BEST).unlink(missing_ok=True)
    net = load_checkpoint(job.folder / LAST, device=job.device).net
    # A run that was killed after its last step has its network, but not its score.
    scores = trained.scores or evaluate(net, val, protocol, device=job.device)
    return net, scores, speed


def _read_result(job: _Job, run: NetworkRun) -> NetworkRow:
    content: Mapping[str, Any] = json.loads(job.result.read_text(encoding="utf-8"))
    settings = dict(content["config"])
    # Settings that are newer than the result had their default.
    for table, default in (
        ("optim", OptimConfig()),
        ("supervision", SupervisionConfig()),
        ("network", SegmentationConfig(2)),
    ):
        if isinstance(settings.get(table), dict):
            settings[table] = {**asdict(default), **settings[table]}
    if settings != result_settings(job.config):
        raise InputError(f"{job.result}: was measured with other settings; give -o another folder")
    return NetworkRow(
        run.label,
        run.seed,
        np.array(content["matrix"], np.int64),
        content["parameters"],
        content["head_parameters"],
        content["training_images_per_second"],
        content["seconds_per_image"],
    )


@torch.no_grad()
def _latency(net: nn.Module, size: tuple[int, int] = (360, 480)) -> float:
    """Median seconds for one image in eval mode, on the CPU."""
    net, image = net.cpu(), torch.rand(1, 3, *size)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        net(image)
        times.append(time.perf_counter() - start)
    return median(times)
