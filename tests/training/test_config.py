from pathlib import Path

import pytest

from saccade.errors import InputError
from saccade.training.config import config_of, read_config

TEXT = """
[data]
layout = "camvid"
root = "data"

[network]
pyramid = "gdpp"
rates = [1, 12]
weights = "imagenet"

[optim]
epochs = 3
lr = 1

[augmentation]
crop = [32, 48]
"""


def test_a_file_is_read_with_paths_from_its_folder(tmp_path):
    path = tmp_path / "train.toml"
    path.write_text(TEXT)
    config = read_config(path)
    assert config.data.root == str(tmp_path / "data")
    assert config.network.rates == (1, 12)
    assert (config.weights, config.optim.lr, config.augmentation.crop) == (
        "imagenet",
        1.0,
        (32, 48),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {"layout": "coco", "root": "."}}, "layout is 'coco'"),
        ({"data": {"root": "."}}, "data: layout is missing"),
        ({"model": {}}, r"\[model\] is no table"),
        ({"optim": {"epoch": 3}}, "'epoch' is no setting"),
        ({"optim": {"epochs": 0}}, "epochs is 0, must be at least 1"),
        ({"optim": {"epochs": 1.5}}, "epochs is 1.5, must be of type int"),
        ({"optim": {"batch": 5, "accumulate": 2}}, "cannot be cut"),
        ({"optim": {"class_weights": "rare"}}, "must be one of none, inverse, log"),
        ({"optim": {"ema": 1.0}}, "ema"),
        ({"optim": {"lr": 0.0}}, "lr"),
        ({"optim": {"lr": float("nan")}}, "lr is nan, must be a finite number"),
        ({"network": {"sigma": "a"}}, "sigma is 'a', must be of type float"),
        ({"network": {"width": 32.5}}, "width is 32.5, must be of type int"),
        ({"network": {"rates": [1, "b"]}}, r"rates\[1\] is 'b', must be of type int"),
        ({"network": {"auxiliary": 1}}, "auxiliary is 1, must be of type bool"),
        ({"network": {"pyramid": ["gdpp"]}}, "pyramid is .* must be"),
        ({"network": {"low": 7}}, "low is 7, must be a stage"),
        ({"network": {"mean": [0.5], "std": [0.2, 0.2]}}, "std has 2 numbers, must have 1"),
        ({"network": {"in_channels": 5}}, "in_channels comes from the data"),
        ({"data": {"layout": "camvid", "root": ".", "intensities": "all"}}, "one of measured"),
        ({"network": {"classes": 4}}, "comes from the data"),
        ({"network": {"pyramid": "psp"}}, "pyramid is 'psp'"),
        ({"network": {"weights": 3}}, "weights is 3"),
        ({"augmentation": {"crop": [3]}}, "list of 2 numbers"),
        ({"run": {"device": "tpu"}}, "must be one of auto, cpu, cuda"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    content = {"data": {"layout": "camvid", "root": "."}, **change}
    with pytest.raises(InputError, match=message):
        config_of(content, Path("."))


def test_files_that_are_no_toml_are_refused(tmp_path):
    path = tmp_path / "train.toml"
    path.write_text("[data\n")
    with pytest.raises(InputError, match=r"train\.toml: no TOML"):
        read_config(path)
