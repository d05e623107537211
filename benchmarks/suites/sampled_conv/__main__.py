"""The sampled convolution beside conv2d and torchvision's deform_conv2d, forward and backward.

    python benchmarks/sampled_conv.py
    python benchmarks/sampled_conv.py --check --tune    # where a CUDA device is at hand

All operators run in turn in every round, on a CPU in one thread and by processor time, on a CUDA
device by its clock; ratios are medians of the rounds' own ratios. --check first compares the fused
kernel with the reference (exit code 1 if it is off), --tune times its block sizes. Result files
are written under --out, named by the card or else the CPU.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# PyTorch and everything above it are imported in `main`, after the thread limit is in the
# environment: OpenMP reads it once, when it is loaded.
HERE = Path(__file__).resolve().parent


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    summary, details = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="sampled_conv.py",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--channels", type=_positive, default=32, help="of input and output, default 32")
    add("--height", type=_positive, default=160)
    add("--width", type=_positive, default=240)
    add("--cuda-batch", type=_positive, default=8, help="maps at once on CUDA, default 8; CPU 1")
    add("--rounds", type=_positive, default=7, help="default 7")
    add("--threads", type=_positive, default=1, help="of the CPU, default 1")
    add("--check", action="store_true", help="first hold the kernel against the reference")
    add("--tune", action="store_true", help="time the kernel's block sizes at the end")
    add("--out", type=Path, default=HERE / "results", help="where the results are written")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    args = build_parser().parse_args(argv)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(args.threads)
    for folder in (HERE.parent, HERE.parent / "src"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    import torch

    from benchmarks import kernels, operators, report
    from saccade.errors import InputError

    torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        for option in ("check", "tune"):
            if getattr(args, option):
                kernels.require(device, f"--{option}")
        if args.check and not kernels.check(device, args.channels):
            return 1
        shape = (args.channels, args.height, args.width)
        records, notes = operators.measure(
            operators.settings(device, shape, args.cuda_batch), args.rounds
        )
        rows = operators.summarize(records)
        print(operators.table(rows))
        for note in notes:
            print(f"note: {note}")
        if args.tune:
            kernels.tune(device, args.channels)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    machine = operators.machine(report.machine(args.threads), device)
    target = args.out / report.file_stem({**machine, "cpu": machine["hardware"]}, "operator")
    operators.write(target, {**machine, "rounds": args.rounds}, rows, records, notes)
    print(f"written: {target}.csv, .json")
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
