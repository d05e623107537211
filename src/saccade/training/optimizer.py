"""SGD or AdamW, rates for the backbone and for the rest, the poly schedule, a moving average."""

import torch
from torch import Tensor, nn

from saccade.training.layers import layer_of
from saccade.training.optim_config import OptimConfig


def make_optimizer(net: nn.Module, config: OptimConfig) -> torch.optim.Optimizer:
    """Over the parameters, in groups: of the backbone or not, biases or not, decayed or not.

    With `layer_decay` the backbone's layers are groups of their own.
    """
    norms = {
        id(p)
        for m in net.modules()
        if isinstance(m, nn.modules.batchnorm._BatchNorm)
        for p in m.parameters(recurse=False)
    }
    pretrained: tuple[str, ...] = getattr(net, "pretrained", ("backbone.",))
    scales = _scales(net, config.layer_decay)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        factor = scales.get(name, 1.0) if name.startswith(pretrained) else config.head_lr
        small = id(parameter) in norms or name.endswith(".bias")
        if small and id(parameter) not in norms:
            factor *= config.bias_lr
        decay = 0.0 if small and not config.decay_norms else config.weight_decay
        groups.setdefault((factor, decay), []).append(parameter)
    settings = [
        {"params": parameters, "lr": config.lr * factor, "weight_decay": decay, "full": factor}
        for (factor, decay), parameters in groups.items()
    ]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(settings, lr=config.lr)
    return torch.optim.SGD(settings, lr=config.lr, momentum=config.momentum)


def _scales(net: nn.Module, decay: float) -> dict[str, float]:
    """Factors on the rates of the backbone's parameters, by how far they are below the head."""
    if decay == 1:
        return {}
    prefix = "backbone."
    names = [(name, p) for name, p in net.named_parameters() if name.startswith(prefix)]
    layers = layer_of((name.removeprefix(prefix), p) for name, p in names)
    top = 1 + max(layers.values(), default=0)
    return {prefix + name: decay ** (top - layer) for name, layer in layers.items()}


def poly_factor(step: int, steps: int, power: float, warmup: int = 0) -> float:
    """Factor on the learning rate in a step: (1 - step / steps) ** power, linear at first.

    Args:
        step: 0 to steps - 1.
        steps: of the whole run.
        power: of the schedule.
        warmup: steps over which the factor also grows linearly from nearly 0.
    """
    factor: float = (1 - step / steps) ** power
    return factor * min(1.0, (step + 1) / (warmup + 1))


def drop_factor(step: int, steps: int, share: float, *, once: bool = False) -> float:
    """Factor on the learning rate in a step: a tenth after each `share` of the run.

    Args:
        step: 0 to steps - 1.
        steps: of the whole run.
        share: in (0, 1].
        once: after the first share only.
    """
    # Nearly a whole number is one: 9 steps of 15 at a share of 0.6 are one drop, not none.
    drops = int(step / (steps * share) + 1e-9)
    return float(0.1 ** (min(drops, 1) if once else drops))


def rate_factor(config: OptimConfig, step: int, steps: int) -> float:
    """Factor on the learning rate in a step, of the schedule that `config` names.

    Args:
        config: its drop, power and warmup.
        step: 0 to steps - 1.
        steps: of the whole run.
    """
    factor = poly_factor(step, steps, 0.0 if config.drop else config.power, config.warmup)
    if not config.drop:
        return factor
    return factor * drop_factor(step, steps, config.drop, once=config.drop_once)


def set_rates(optimizer: torch.optim.Optimizer, lr: float, factor: float) -> None:
    """Set the rate of each group: the run's rate times the group's factor times the schedule's."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["full"] * factor


@torch.no_grad()
def update_average(average: dict[str, Tensor], weights: dict[str, Tensor], decay: float) -> None:
    """Move a moving average towards the weights, in place; counters are copied."""
    for name, value in weights.items():
        if value.is_floating_point():
            average[name].lerp_(value.to(average[name].dtype), 1 - decay)
        else:
            average[name].copy_(value)
