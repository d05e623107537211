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
        missing = str(device).startswith("cuda") and not torch.cuda.is_available()
        why = ", PyTorch sees no CUDA device" if missing else ""
        raise InputError(
            f"device {str(device)!r} cannot be used here{why}; try 'auto' or 'cpu'"
        ) from error
    return chosen
