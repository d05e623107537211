import copy
import json
import pickle
from importlib.resources import as_file, files

import pytest
import torch
from safetensors.torch import load_file, save_file

from saccade.errors import InputError
from saccade.interactive.presets import PRESETS, preset_named
from saccade.models.weights import FILE_PARTS, load_bundle, load_head

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


@pytest.fixture(scope="module")
def reference():
    """torchvision's network with weights and statistics like those of a trained one."""
    torchvision = pytest.importorskip("torchvision")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = torchvision.models.mobilenet_v2(weights=None)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.data.uniform_(0.5, 1.5)
                module.bias.data.normal_(0, 0.3)
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
    return net.eval()


def _save(net, path):
    if path.suffix == ".safetensors":
        save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path)
    else:
        torch.save(net.state_dict(), path)
    return str(path)


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_a_torchvision_checkpoint_gives_torchvisions_features(reference, tmp_path, name):
    head = load_head(_save(reference, tmp_path / name))
    image = torch.rand(2, 3, 33, 46, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        first = reference.features[:2]((image - MEAN) / STD)
        second = reference.features[2](first)
        fine, coarse = head(2 * image - 1)
    torch.testing.assert_close(fine, first, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(coarse, second, rtol=1e-4, atol=1e-4)


def test_a_folded_checkpoint_sees_the_image_as_it_is(tmp_path):
    ours = load_head("random", generator=torch.Generator().manual_seed(3))
    names = {
        "stem": "features.0.0",
        "depthwise1": "features.1.conv.0.0",
        "project1": "features.1.conv.1",
        "expand2": "features.2.conv.0.0",
        "depthwise2": "features.2.conv.1.0",
        "project2": "features.2.conv.2",
    }
    tensors = {
        f"{names[k.split('.')[0]]}.{k.split('.')[1]}": v.contiguous()
        for k, v in ours.state_dict().items()
    }
    save_file(tensors, tmp_path / "folded.safetensors")
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    found = load_head(str(tmp_path / "folded.safetensors"))(image)
    torch.testing.assert_close(found, ours(image))


def test_weights_are_laid_out_for_maps_whose_channels_are_last():
    bundle = load_bundle()
    member = bundle.ensemble[0]
    for module in (bundle.head, member.encoder, member.fusion):
        for name, parameter in module.named_parameters():
            if parameter.ndim == 4:
                assert parameter.is_contiguous(memory_format=torch.channels_last), name
    maps = torch.rand(1, 43, 16, 24, generator=torch.Generator().manual_seed(1))
    found = member.encoder(maps)
    assert found.add[1].is_contiguous(memory_format=torch.channels_last)
    plain = copy.deepcopy(member.encoder).to(memory_format=torch.contiguous_format)
    torch.testing.assert_close(found.add, plain(maps).add)


def _missing(folder):
    return folder / "absent.pth"


def _folder(folder):
    return folder


def _garbage(folder):
    (folder / "garbage.pth").write_bytes(b"no weights at all" * 9)
    return folder / "garbage.pth"


def _garbage_tensors(folder):
    (folder / "garbage.safetensors").write_bytes(b"no weights at all" * 9)
    return folder / "garbage.safetensors"


def _empty(folder):
    (folder / "empty.pth").touch()
    return folder / "empty.pth"


def _code(folder):
    (folder / "code.pth").write_bytes(pickle.dumps(print))
    return folder / "code.pth"


def _truncated(folder):
    torch.save({"features.0.0.weight": torch.zeros(32, 3, 3, 3)}, folder / "cut.pth")
    whole = (folder / "cut.pth").read_bytes()
    (folder / "cut.pth").write_bytes(whole[: len(whole) // 2])
    return folder / "cut.pth"


def _other_network(folder):
    torch.save(torch.nn.Linear(3, 3).state_dict(), folder / "linear.pth")
    return folder / "linear.pth"


def _list(folder):
    torch.save([torch.zeros(3)], folder / "list.pth")
    return folder / "list.pth"


def _tensor(folder):
    torch.save(torch.zeros(3), folder / "tensor.pth")
    return folder / "tensor.pth"


def _no_tensors(folder):
    torch.save({"features.0.0.weight": "heavy"}, folder / "words.pth")
    return folder / "words.pth"


@pytest.mark.parametrize(
    "make",
    [
        _missing, _folder, _garbage, _garbage_tensors, _empty, _code, _truncated, _other_network,
        _list, _tensor, _no_tensors,
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_named_in_one_line(make, tmp_path):
    path = make(tmp_path)
    with pytest.raises(InputError) as caught:
        load_head(str(path))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_another_width_is_refused(tmp_path):
    torchvision = pytest.importorskip("torchvision")
    with torch.random.fork_rng(devices=[]):
        narrow = torchvision.models.mobilenet_v2(weights=None, width_mult=0.5)
    with pytest.raises(InputError, match=r"width 1\.0"):
        load_head(_save(narrow, tmp_path / "narrow.pth"))


def test_random_weights_are_seeded_and_frozen():
    def draw(seed):
        return load_head("random", generator=torch.Generator().manual_seed(seed))

    state = torch.get_rng_state()
    first, same, other = draw(1), draw(1), draw(2)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in first.named_parameters():
        assert torch.equal(value, dict(same.named_parameters())[name]), name
        assert not value.requires_grad
    assert not torch.equal(first.stem.weight, other.stem.weight)
    assert not first.training


def test_the_bundle_loads_whole_frozen_and_without_global_randomness():
    state = torch.get_rng_state()
    bundle = load_bundle()
    assert torch.equal(torch.get_rng_state(), state)
    again = load_bundle()

    def parts(one):
        return one.head, one.fuse, *(m for j in one.ensemble for m in (j.encoder, j.fusion))

    for module, other in zip(parts(bundle), parts(again), strict=True):
        second = other.state_dict()
        assert not module.training
        for name, value in module.state_dict().items():
            assert value.device.type == "cpu", name
            assert torch.equal(value, second[name]), name  # nothing left to chance
            assert value.isfinite().all(), name
        assert not any(p.requires_grad for p in module.parameters())
    assert bundle.fuse.in_channels == 43
    assert load_head("bundled").state_dict().keys() == bundle.head.state_dict().keys()


def test_the_bundle_has_a_rate_for_each_step_and_tensor():
    bundle = load_bundle()
    assert bundle.rates.keys() == bundle.start.keys() | {"out", "out_bias"}
    steps = {len(rates) for rates in bundle.rates.values()}
    assert len(steps) == 1
    assert all(rates.isfinite().all() for rates in bundle.rates.values())


def test_the_bundle_is_small():
    assert len((files("saccade.models") / "bundled.safetensors").read_bytes()) < 10_000_000


def test_every_preset_finds_the_members_that_it_asks():
    ensemble = load_bundle().ensemble
    assert len(ensemble) >= max(preset_named(name).ensemble for name in PRESETS)


def test_the_first_member_has_the_mean_of_the_others_weights(tmp_path):
    with as_file(files("saccade.models") / "bundled.safetensors") as path:
        tensors = load_file(path)
    parts = tuple(f"{part}." for part in FILE_PARTS.values())
    second = {
        name.replace(".", "1.", 1): value + 0.5
        for name, value in tensors.items()
        if name.startswith(parts)
    }
    save_file({**tensors, **second}, tmp_path / "two.safetensors")
    first, *others = load_bundle(str(tmp_path / "two.safetensors")).ensemble
    assert len(others) == 2
    for part in ("encoder", "fusion"):
        states = [getattr(member, part).state_dict() for member in others]
        for name, value in getattr(first, part).state_dict().items():
            torch.testing.assert_close(value, (states[0][name] + states[1][name]) / 2)
    assert not torch.equal(*(member.fusion.leave.weight for member in others))


def test_the_bundle_records_where_it_comes_from():
    path = files("saccade.models") / "bundled.json"
    if not path.is_file():
        pytest.skip("bundled.json is not there: the bundled weights are not the trained ones")
    provenance = json.loads(path.read_text())
    assert isinstance(provenance, dict)
    assert provenance


def test_other_weights_of_the_same_kind_are_read(tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes((files("saccade.models") / "bundled.safetensors").read_bytes())
    mine, bundled = load_bundle(str(path)), load_bundle()
    for one, other in zip(mine.ensemble, bundled.ensemble, strict=True):
        for name, value in other.fusion.state_dict().items():
            assert torch.equal(one.fusion.state_dict()[name], value), name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; weights are 'bundled' or a packed"),
        (b"nothing", "holds no weights of the per-image segmenter"),
        ({"fuse.weight": torch.zeros(3)}, "holds no weights of the per-image segmenter"),
        ({"something": torch.zeros(3)}, "holds no weights of the per-image segmenter"),
    ],
)
def test_files_without_weights_are_refused(tmp_path, content, message):
    path = tmp_path / "mine.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        save_file(content, path)
    with pytest.raises(InputError, match=message):
        load_bundle(str(path))
