"""Maps of timm's backbones as features of images of a kind."""

import pytest
import torch
from safetensors.torch import save_file

from saccade.errors import InputError
from saccade.models.timm_maps import is_timm, load_timm, restore_timm

timm = pytest.importorskip("timm", reason="timm is not installed")
NAME = "mobilenetv2_035"


def weights_of(name, path, seed=0):
    """A file of weights of a whole network of timm, drawn at random."""
    torch.manual_seed(seed)
    save_file(timm.create_model(name, pretrained=False).state_dict(), path)
    return path


@pytest.mark.parametrize(
    ("name", "steps"),
    [(NAME, [2, 4, 8, 16]), ("resnet18", [2, 4, 8, 16]), ("vit_tiny_patch16_224", [16])],
)
def test_maps_are_those_of_the_backbone(tmp_path, name, steps):
    path = weights_of(name, tmp_path / "w.safetensors")
    maps = load_timm(f"timm:{name}@{path}")
    image = torch.rand(1, 3, 64, 96) * 255
    found = maps(image)
    assert [64 // one.shape[2] for one in found] == steps
    if "vit" not in name:  # its positions belong to another size
        overlay = {"file": str(path)}
        whole = timm.create_model(
            name, pretrained=True, features_only=True, pretrained_cfg_overlay=overlay
        ).eval()
        settings = timm.get_pretrained_cfg(name)
        mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (settings.mean, settings.std))
        with torch.no_grad():
            wanted = whole((image / 255 - mean) / std)
        for one, other in zip(found, wanted, strict=False):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_sizes_that_are_no_multiple_of_32_are_cut_to_the_image(tmp_path):
    maps = load_timm(f"timm:{NAME}@{weights_of(NAME, tmp_path / 'w.safetensors')}")
    sizes = [tuple(one.shape[2:]) for one in maps(torch.zeros(1, 3, 48, 80))]
    assert sizes == [(24, 40), (12, 20), (6, 10), (3, 5)]


def test_weights_make_the_same_backbone_again(tmp_path):
    maps = load_timm(f"timm:{NAME}@{weights_of(NAME, tmp_path / 'w.safetensors')}")
    again = restore_timm(NAME, maps.state_dict())
    image = torch.rand(1, 3, 32, 64) * 255
    for one, other in zip(maps(image), again(image), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("timm:no_such_net", "timm has no such backbone"),
        (f"timm:{NAME}", "its weights are not in timm's cache, and nothing is downloaded"),
        (f"timm:{NAME}@nowhere.bin", "no such file"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(monkeypatch, tmp_path, spec, part):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=part):
        load_timm(spec)


def test_weights_of_another_network_and_damaged_ones_are_refused(tmp_path):
    other = weights_of("resnet18", tmp_path / "other.safetensors")
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no tensors")
    for path in (other, damaged):
        with pytest.raises(InputError, match=f"{path.name}: cannot be the weights of timm's"):
            load_timm(f"timm:{NAME}@{path}")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("vit_tiny_patch16_224", None),
        ("vit_small_patch14_dinov2", "takes no image of 64 x 96 .*patch size"),
        ("swin_tiny_patch4_window7_224", "takes no image|its maps are"),
    ],
)
def test_a_backbone_takes_images_of_any_size(name, part):
    with pytest.raises(InputError if part else RuntimeError, match=part):  # none has weights here
        restore_timm(name, {})


def test_only_names_with_the_prefix_are_of_timm():
    assert is_timm("timm:resnet18")
    assert not is_timm("resnet18")
