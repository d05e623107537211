"""A folder of work: one loop over many items that can be stopped, and goes on where it was.

`run_batch` leaves out what is done already, goes on past an item that fails, and keeps what is
done when Ctrl-C ends it. Where the work runs is an `Executor`'s business: in this process
(`InThisProcess`), in several (`LocalProcesses`) or on a cluster (`OnRay`). For these, items and
records are small values that can be pickled and hashed, such as paths; a worker reads its inputs
and writes its results itself, and returns a record of what it did. It is made by a function of a
module, once in each process, which is the time to load a network.

Example:
    Thumbnails of a folder, in four processes; a second call makes those that are missing::

        def make_worker(folder: Path, side: int) -> Worker[Path, int]:
            def work(image: Path, report: Report) -> int:
                picture = Image.open(image)
                picture.thumbnail((side, side))
                with atomic_write(folder / image.name) as path:
                    picture.save(path)
                return picture.height

            return work

        def known(image: Path) -> int | None:
            path = folder / image.name
            return Image.open(path).height if path.exists() else None

        if __name__ == "__main__":
            outcome = run_batch(
                sorted(images.glob("*.jpg")),
                partial(make_worker, folder, 128),
                already=known,
                executor=LocalProcesses(4),
            )
            for image, why in outcome.failed.items():
                print(f"{image}: {why}")
            if outcome.interrupted:
                print(outcome.interruption)

`saccade.batch.records` keeps a record beside each result, for `already` to find.
"""

from saccade.batch.engine import run_batch
from saccade.batch.executors import Executor, Failure, InThisProcess, Report, Setup, Worker
from saccade.batch.on_ray import OnRay
from saccade.batch.outcome import Outcome, interruption
from saccade.batch.processes import LocalProcesses

__all__ = [
    "Executor",
    "Failure",
    "InThisProcess",
    "LocalProcesses",
    "OnRay",
    "Outcome",
    "Report",
    "Setup",
    "Worker",
    "interruption",
    "run_batch",
]
