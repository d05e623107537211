"""Training throughput of the networks for data sets beside other libraries', in turns, as ratios.

    python -m benchmarks.networks [--size 256] [--batch 4] [--rounds 5] [--threads 1]

Forward and backward on random images, every network on the same backbone at output stride 16 with
random weights: MobileNetV2 with our pyramids beside torchvision's DeepLabv3 head and
segmentation_models_pytorch's DeepLabV3; DSNet with ResNet-50 likewise.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
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


def measure(makers, size, batch, rounds):
    """Seconds of every round and parameters by name; the networks take turns."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    last = torch.channels_last  # as `saccade train` does; the peers gain as much
    nets = {n: make().to(device, memory_format=last).train() for n, make in makers.items()}
    images = torch.rand(batch, 3, size, size, device=device).contiguous(memory_format=last)
    seconds = {name: [] for name in nets}
    for number in range(rounds + 1):
        for name, net in nets.items():
            start = time.perf_counter()
            net(images).square().mean().backward()
            if device == "cuda":
                torch.cuda.synchronize()
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
            net.zero_grad()
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument("--size", type=int, default=256, help="side of the square images")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args(argv)
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    import torch

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
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "2cpu"
    name = f"networks-{card.lower().replace(' ', '-')}-torch{torch.__version__.split('+')[0]}.json"
    content = {
        "size": args.size,
        "batch": args.batch,
        "rounds": args.rounds,
        "threads": args.threads,
        "device": card,
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "networks": found,
    }
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / name).write_text(json.dumps(content, indent=1) + "\n")
    print(f"written: {args.output / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
