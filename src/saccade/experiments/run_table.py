"""One table from start to files, also when it is stopped on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from saccade.experiments.gdc_tables import TABLES
from saccade.experiments.measure import Outcome, Progress, measure, plan_tasks, settings
from saccade.experiments.report import markdown, write_report
from saccade.experiments.samples import Plan
from saccade.experiments.summary import summarise


@dataclass(frozen=True)
class Finished:
    """What to tell the user: the report, the files it is in, whether Ctrl-C cut it short."""

    text: str
    files: tuple[Path, ...]
    failed: dict[tuple[str, str], str]
    interrupted: bool


def count_tasks(name: str, plan: Plan, seeds: Sequence[int]) -> int:
    """How many segmentations the table `name` needs."""
    return len(plan.samples) * len(TABLES[name].branches) * len(seeds)


def run_table(
    name: str,
    plan: Plan,
    folder: Path,
    *,
    seeds: Sequence[int],
    jobs: int,
    progress: Progress,
) -> Finished:
    """Measure what is missing and write the report.

    Args:
        name: of `TABLES`.
        plan: images to measure on.
        folder: must exist; FOLDER/rows.jsonl keeps the measurements, which the tables share.
        seeds: of the draws.
        jobs: processes.
        progress: see `saccade.experiments.measure.Progress`.

    Raises:
        InputError: the folder holds measurements with other settings.
    """
    table = TABLES[name]
    tasks = plan_tasks(plan.samples, table.branches, seeds)
    outcome = measure(tasks, folder / "rows.jsonl", jobs=jobs, progress=progress)
    summaries = summarise(table, [task.key for task in tasks], outcome.rows, seeds)
    notes = (*plan.remarks, *_failures(outcome))
    files = write_report(folder, table, summaries, outcome.rows, settings(), notes)
    text = markdown(table, summaries, notes)
    return Finished(text, tuple(files), outcome.failed, outcome.interrupted)


def _failures(outcome: Outcome) -> list[str]:
    """One line per set on its images that could not be used, without the paths of this machine."""
    lines = []
    for name in dict.fromkeys(name for name, _ in outcome.failed):
        stems = [stem for s, stem in outcome.failed if s == name]
        lines.append(f"{name}: {len(stems)} images could not be used, {stems[0]} for one")
    return lines
