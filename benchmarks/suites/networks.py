"""Training throughput of the networks for data sets beside other libraries', in turns, as ratios.

    python -m benchmarks.networks --size 256 --batch 4

Forward and backward on random images, every network on the same backbone at output stride 16 with
random weights: MobileNetV2 with our pyramids beside torchvision's DeepLabv3 head and
segmentation_models_pytorch's DeepLabV3; DSNet with ResNet-50 likewise.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from functools import partial

from benchmarks.harness import command_line
from benchmarks.harness.command_line import positive

CLASSES = 11


def build_networks():
    """Backbone -> name -> function that makes the network."""
    import segmentation_models_pytorch as smp
    from torch import nn
    from torchvision.models.segmentation.deeplabv3 import DeepLabHead

    from saccade.models.backbones import build_backbone
    from saccade.models.segmentation import SegmentationConfig, SegmentationNet
    from saccade.nn.resize import resize

    class TorchvisionDeepLab(nn.Module):
        """torchvision's DeepLabv3 head, rates 12, 24, 36, on our backbone."""

        def __init__(self, name):
            super().__init__()
            self.backbone = build_backbone(name, 16)
            self.head = DeepLabHead(self.backbone.channels[5], CLASSES)

        def forward(self, images):
            return resize(self.head(self.backbone(images)[5]), images.shape[2:])

    def ours(backbone, **changes):
        return lambda: SegmentationNet(SegmentationConfig(CLASSES, backbone=backbone, **changes))

    def theirs(name):
        return lambda: smp.DeepLabV3(
            name, encoder_weights=None, encoder_output_stride=16, classes=CLASSES
        )

    like = {"pyramid": "aspp", "rates": (12, 24, 36), "pointwise": True}
    return {
        "mobilenet_v2": {
            "torchvision DeepLabv3": lambda: TorchvisionDeepLab("mobilenet_v2"),
            "segmentation_models_pytorch DeepLabV3": theirs("mobilenet_v2"),
            "saccade none": ours("mobilenet_v2", pyramid="none"),
            "saccade ASPP 12, 24, 36": ours("mobilenet_v2", **like),
            "saccade GDPP": ours("mobilenet_v2", pyramid="gdpp"),
        },
        "resnet50": {
            "torchvision DeepLabv3": lambda: TorchvisionDeepLab("resnet50"),
            "segmentation_models_pytorch DeepLabV3": theirs("resnet50"),
            "saccade DSNet": ours("resnet50", network="dsnet"),
        },
    }


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("networks", __doc__)
    add = parser.add_argument
    add("--size", type=positive, default=256, help="side of the square images, default 256")
    add("--batch", type=positive, default=4, help="images at once, default 4")
    add("--rounds", type=positive, default=5, help="default 5")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure every network, print and write the results."""
    import torch

    from benchmarks.harness import results

    torch.set_num_threads(args.threads)
    found = {}
    for backbone, makers in build_networks().items():
        found[backbone] = measure(makers, args.size, args.batch, args.rounds)
        print(f"{backbone}, forward + backward, batch {args.batch} of {args.size}x{args.size}")
        for name, values in found[backbone].items():
            print(
                f"  {name:<40}{values['images_per_second']:8.2f} img/s"
                f"{values['speed_to_torchvision']:8.2f} x{values['parameters']:>14,}"
            )
    options = {key: getattr(args, key) for key in ("size", "batch", "rounds")}
    options["card"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    settings = results.machine(args.threads) | options
    path = results.result_path(args, settings)
    results.write_results(path, {"run": settings, "networks": found})
    results.report_written(path, args)


def measure(makers, size, batch, rounds):
    """Parameters and speed by name; the networks take turns."""
    import torch

    from benchmarks.harness.timing import interleaved

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    last = torch.channels_last  # as `saccade train` does; the peers gain as much
    nets = {n: make().to(device, memory_format=last).train() for n, make in makers.items()}
    images = torch.rand(batch, 3, size, size, device=device).contiguous(memory_format=last)

    def step(net):
        net(images).square().mean().backward()
        if device == "cuda":
            torch.cuda.synchronize()
        net.zero_grad()

    turns = interleaved({n: partial(step, net) for n, net in nets.items()}, rounds, warm=True)
    seconds = {name: [call.seconds for call in calls] for name, calls in turns.items()}
    return {
        name: {
            "parameters": sum(p.numel() for p in net.parameters()),
            "images_per_second": batch / statistics.median(seconds[name]),
            # Within a round the machine is most nearly the same for all.
            "speed_to_torchvision": statistics.median(
                base / own
                for base, own in zip(seconds["torchvision DeepLabv3"], seconds[name], strict=True)
            ),
        }
        for name, net in nets.items()
    }


if __name__ == "__main__":
    sys.exit(main())
