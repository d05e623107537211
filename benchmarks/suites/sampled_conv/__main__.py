"""The sampled convolution beside conv2d and torchvision's deform_conv2d, forward and backward.

    python -m benchmarks.sampled_conv
    python -m benchmarks.sampled_conv --check --tune    # where a CUDA device is at hand

All operators run in turn in every round, on a CPU in one thread and by processor time, on a CUDA
device by its clock; ratios are medians of the rounds' own ratios. --check first compares the fused
kernel with the reference (exit code 1 if it is off), --tune times its block sizes. Written: JSON,
in the folder of the card or else the CPU.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.harness import command_line
from benchmarks.harness.command_line import positive


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("sampled_conv", __doc__)
    add = parser.add_argument
    add("--channels", type=positive, default=32, help="of input and output, default 32")
    add("--height", type=positive, default=160, help="default 160")
    add("--width", type=positive, default=240, help="default 240")
    add("--cuda-batch", type=positive, default=8, help="maps at once on CUDA, default 8; CPU 1")
    add("--rounds", type=positive, default=7, help="default 7")
    add("--check", action="store_true", help="first hold the kernel against the reference")
    add("--tune", action="store_true", help="time the kernel's block sizes at the end")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> int:
    """Check, measure, tune, write the files; returns the exit code."""
    from dataclasses import asdict

    import torch

    from benchmarks.harness import results
    from benchmarks.suites.sampled_conv import kernels, measure
    from benchmarks.suites.sampled_conv.operators import settings
    from benchmarks.suites.sampled_conv.report import summarize, table

    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for option in ("check", "tune"):
        if getattr(args, option):
            kernels.require(device, f"--{option}")
    if args.check and not kernels.check(device, args.channels):
        return 1
    chosen = settings(device, (args.channels, args.height, args.width), args.cuda_batch)
    records, notes = measure.measure(chosen, args.rounds)
    rows = summarize(records)
    print(table(rows))
    for note in notes:
        print(f"note: {note}")
    if args.tune:
        kernels.tune(device, args.channels)
    card = torch.cuda.get_device_name() if device == "cuda" else None
    content = {
        "run": results.machine(args.threads)
        | {"rounds": args.rounds, "card": card}
        | {"conv2d_tf32": torch.backends.cudnn.allow_tf32 if card else None},
        "table": [asdict(row) for row in rows],
        "notes": notes,
    }
    path = results.result_path(args, content["run"])
    results.write_results(path, content, [asdict(r) for r in records] if args.csv else None)
    results.report_written(path, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
