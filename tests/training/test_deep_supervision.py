from pathlib import Path

import torch
from safetensors.torch import load_file

from saccade.training.config import config_of
from saccade.training.loop import train
from saccade.training.optim_config import OptimConfig
from tests.training.helpers import changed

SECOND = "auxiliary."


def trained(settings, folder, **optim):
    optim = {"epochs": 1, "weight_decay": 0.0, **optim}
    tables = {"network": {"network": "dsnet", "auxiliary": True, "pyramid": "none"}}
    settings = changed(settings, optim=optim, run={"validate_every": 9}, **tables)
    train(config_of(settings, Path(".")), folder)
    return load_file(folder / "last.safetensors")


def test_the_second_classifier_is_trained_with_its_weight(settings, tmp_path):
    off = trained(settings, tmp_path / "off", auxiliary=0.0)
    usual = trained(settings, tmp_path / "usual")
    # Batch statistics move without a loss; weights of convolutions do not.
    names = [n for n in usual if n.startswith(SECOND) and usual[n].ndim == 4]
    assert names
    for name in names:
        assert not torch.equal(off[name], usual[name]), name
    assert OptimConfig().auxiliary == 0.4  # PSPNet's
