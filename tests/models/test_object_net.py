import pytest
import torch
from torch.nn import functional as F

from saccade.errors import InputError
from saccade.models.lite_encoder import CHANNELS, LiteEncoder, load_imagenet
from saccade.models.object_net import HINTS, ObjectNet, _similarities


def _net(seed=0):
    torch.manual_seed(seed)
    return ObjectNet().eval()


def _hints(rows, height, width, seed=1):
    hints = torch.zeros(rows, len(HINTS), height, width)
    places = torch.Generator().manual_seed(seed)
    for row in hints:
        for strokes in row[:2]:
            y, x = (int(torch.randint(n, (), generator=places)) for n in (height, width))
            strokes[y, x] = 1
    hints[:, 2] = torch.rand(rows, height, width, generator=places) * 2 - 1
    return hints


@pytest.mark.parametrize("size", [(64, 96), (96, 64), (16, 128), (288, 384)])
def test_every_row_is_answered_at_half_the_size(size):
    net = _net()
    with torch.no_grad():
        maps = net.encode(torch.rand(1, 3, *size) * 255)
        assert maps.half_size == (size[0] // 2, size[1] // 2)
        assert [skip.shape[2] for skip in maps.skips] == [size[0] // s for s in (2, 4, 8, 16)]
        for rows in (1, 3):
            assert net.decode(maps, _hints(rows, *maps.half_size)).shape == (rows, *maps.half_size)


def test_rows_do_not_depend_on_each_other():
    net = _net()
    with torch.no_grad():
        for name, p in net.named_parameters():  # residual blocks begin as the identity
            if name.endswith("second.weight"):
                p.normal_(0, 0.05)
        maps = net.encode(torch.rand(1, 3, 64, 96) * 255)
        hints = _hints(4, 32, 48)
        together = net.decode(maps, hints)
        alone = torch.cat([net.decode(maps, hint[None]) for hint in hints])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("hint", range(len(HINTS)))
def test_every_hint_matters(hint):
    net = _net()
    with torch.no_grad():
        maps = net.encode(torch.rand(1, 3, 64, 96) * 255)
        hints = _hints(1, 32, 48)
        other = hints.clone()
        other[:, hint] = 0
        assert (net.decode(maps, hints) - net.decode(maps, other)).abs().max() > 1e-4


def test_similarity_is_the_largest_cosine_to_a_stroke():
    generator = torch.Generator().manual_seed(3)
    embedding = F.normalize(torch.randn(2, 5, 6, 7, generator=generator), dim=1)
    strokes = torch.zeros(2, 2, 12, 14)
    strokes[0, 0, 0:4, 2] = 1  # two places at half that size
    strokes[1, 1, 11, 13] = 1
    found = _similarities(embedding, strokes, torch.tensor(50.0))
    assert found.shape == (2, 4, 6, 7)
    places = [(0, 1), (1, 1)]
    for y in range(6):
        for x in range(7):
            like = [float(embedding[0, :, y, x] @ embedding[0, :, v, u]) for v, u in places]
            assert found[0, 0, y, x].item() == pytest.approx(max(like), abs=1e-5)
            assert found[0, 1, y, x].item() <= max(like) + 1e-5  # a mean is at most the maximum
    assert found[0, 2:].eq(-1).all()  # nobody drew the other class
    assert found[1, :2].eq(-1).all()
    assert found[1, 2, 5, 6].item() == pytest.approx(1, abs=1e-5)


def test_long_strokes_are_compared_at_some_of_their_places_only():
    embedding = F.normalize(torch.randn(1, 4, 30, 30), dim=1)
    strokes = torch.zeros(1, 2, 30, 30)
    strokes[0, 0] = 1
    found = _similarities(embedding, strokes, torch.tensor(20.0))
    assert torch.isfinite(found).all()
    assert (found[0, 0] == found[0, 0].max()).sum() < 900


def test_the_encoder_pads_as_tensorflow_does():
    """At stride 2 and even sides a 3x3 window begins at the pixel itself, not one before it."""
    encoder = LiteEncoder()
    image = torch.zeros(1, 3, 32, 32)
    image[..., 0, 0] = 255
    grey = torch.full((1, 3, 32, 32), 127.0)  # which the encoder sees as 0
    stem = encoder.stem
    with torch.no_grad():
        stem.bias.zero_()
        response = stem((torch.where(image > 0, image, grey) - 127) / 128)
        expected = stem.weight[..., 0, 0].sum(1)
    assert response[0, :, 1:].abs().max() == 0
    torch.testing.assert_close(response[0, :, 0, 0], expected)


def test_channels_of_the_encoder():
    maps = LiteEncoder()(torch.zeros(1, 3, 32, 32))
    assert tuple(one.shape[1] for one in maps) == CHANNELS


def test_normalization_of_imagenet_is_folded_in(tmp_path):
    encoder, state = LiteEncoder(), {}
    generator = torch.Generator().manual_seed(0)

    def add(conv, norm, weight):
        state[f"{conv}.weight"] = torch.randn(weight.shape, generator=generator)
        for name in ("weight", "bias", "running_mean"):
            state[f"{norm}.{name}"] = torch.randn(len(weight), generator=generator)
        state[f"{norm}.running_var"] = torch.rand(len(weight), generator=generator) + 0.1

    add("_conv_stem", "_bn0", encoder.stem.weight)
    number = 0
    for stage in encoder.stages:
        for block in stage:
            name = f"_blocks.{number}."
            if block.expand is not None:
                add(f"{name}_expand_conv", f"{name}_bn0", block.expand.weight)
            add(f"{name}_depthwise_conv", f"{name}_bn1", block.depthwise.weight)
            add(f"{name}_project_conv", f"{name}_bn2", block.project.weight)
            number += 1
    torch.save(state, tmp_path / "lite0.pth")
    load_imagenet(encoder, tmp_path / "lite0.pth")
    x = torch.randn(1, 3, 8, 8, generator=generator)
    padded = F.pad(x, (0, 1, 0, 1))
    plain = F.conv2d(padded, state["_conv_stem.weight"], stride=2)
    norm = [state[f"_bn0.{n}"] for n in ("running_mean", "running_var", "weight", "bias")]
    expected = F.batch_norm(plain, *norm, eps=1e-3)
    torch.testing.assert_close(encoder.stem(x), expected, atol=1e-4, rtol=1e-4)


def test_another_file_is_no_encoder(tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="no EfficientNet-Lite0"):
        load_imagenet(LiteEncoder(), tmp_path / "other.pth")
