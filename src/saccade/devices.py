"""Which device PyTorch computes on."""

import torch

from saccade.errors import InputError


def pick_device(device: str | torch.device) -> torch.device:
    """The device to compute on: for ``"auto"`` CUDA where there is one, else the CPU.

    Example:
        >>> pick_device("cpu")
        device(type='cpu')

    Raises:
        InputError: the device is unknown or not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
        torch.Generator(chosen)  # "meta" for one has no random numbers
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise InputError(
            f"device {str(device)!r} cannot be used here; try 'auto' or 'cpu'"
        ) from error
    return chosen
