"""Sampled convolution: torch's own convolutions as a special case, and positions of all kinds."""

import pytest
import torch
from torch.nn import functional

from saccade.ops import conv_positions, sampled_conv2d
from tests.ops.helpers import DEVICES, FAST, MODES, assert_near, case, draw


class TestAgainstConv2d:
    @pytest.mark.parametrize("device", DEVICES)
    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    @pytest.mark.parametrize(
        ("kernel", "stride", "padding", "dilation", "groups"),
        [
            ((3, 3), 1, (1, 1), 1, 1),
            ((1, 1), 1, (0, 0), 1, 1),
            ((5, 3), 1, (2, 1), 1, 1),
            ((2, 2), 1, (0, 0), 1, 1),
            ((4, 2), 1, (1, 1), 1, 1),
            ((3, 3), 2, (1, 1), 1, 1),
            ((3, 3), (1, 3), (0, 2), 1, 1),
            ((3, 3), 1, (2, 2), 2, 1),
            ((3, 3), 1, (6, 3), (6, 3), 1),
            ((3, 3), 1, (1, 1), 1, 2),
            ((3, 3), 1, (1, 1), 1, 4),
        ],
    )
    def test_zero_border_is_zero_padding(
        self,
        device: str,
        backend: str,
        interpolation: str,
        kernel: tuple[int, int],
        stride: int,
        padding: tuple[int, int],
        dilation: int,
        groups: int,
    ) -> None:
        x = draw(2, 4, 9, 8, seed=1).to(device).requires_grad_()
        weight = draw(8, 4 // groups, *kernel, seed=2).to(device).requires_grad_()
        bias = draw(8, seed=3).to(device)
        geometry = {"stride": stride, "padding": padding, "dilation": dilation}
        expected = functional.conv2d(x, weight, bias, groups=groups, **geometry)
        positions = conv_positions((9, 8), kernel, device=device, **geometry)
        actual = sampled_conv2d(
            x,
            weight,
            bias,
            positions=positions,
            interpolation=interpolation,
            border="zero",
            groups=groups,
            backend=backend,
        )
        assert_near(actual, expected)
        upstream = draw(*expected.shape, seed=4).to(device)
        wanted = torch.autograd.grad(expected, (x, weight), upstream)
        for mine, theirs in zip(
            torch.autograd.grad(actual, (x, weight), upstream), wanted, strict=True
        ):
            assert_near(mine, theirs)

    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    @pytest.mark.parametrize(("kernel", "dilation"), [((3, 3), 1), ((3, 3), 4), ((5, 1), 2)])
    def test_clamp_is_replicate_padding(
        self, backend: str, interpolation: str, kernel: tuple[int, int], dilation: int
    ) -> None:
        x, weight = draw(2, 4, 7, 6, seed=1), draw(3, 4, *kernel, seed=2)
        pad = [dilation * (k // 2) for k in kernel]
        padded = functional.pad(x, (pad[1], pad[1], pad[0], pad[0]), mode="replicate")
        expected = functional.conv2d(padded, weight, dilation=dilation)
        positions = conv_positions((7, 6), kernel, padding=pad, dilation=dilation)
        actual = sampled_conv2d(
            x, weight, positions=positions, interpolation=interpolation, backend=backend
        )
        assert_near(actual, expected)


class TestPositions:
    @pytest.mark.parametrize("backend", [*FAST, "reference"])
    def test_halves_round_up(self, backend: str) -> None:
        x = torch.arange(6.0).view(1, 1, 1, 6)
        at = torch.tensor([[0.5, 1.5, 2.5, -0.5, 2.49]])
        positions = torch.stack([torch.zeros_like(at), at]).view(1, 1, 2, 1, 5)
        out = sampled_conv2d(x, torch.ones(1, 1, 1, 1), positions=positions, backend=backend)
        assert out.flatten().tolist() == [1, 2, 3, 0, 2]

    @pytest.mark.parametrize("backend", [*FAST, "reference"])
    @pytest.mark.parametrize(("interpolation", "border"), MODES)
    def test_integer_positions_are_taken(
        self, backend: str, interpolation: str, border: str
    ) -> None:
        arguments = case(dtype=torch.float32)
        whole = arguments.pop("positions").round()
        options = {"interpolation": interpolation, "border": border, "backend": backend}
        assert_near(
            sampled_conv2d(**arguments, positions=whole.int(), **options),
            sampled_conv2d(**arguments, positions=whole, **options),
        )

    def test_half_precision_coordinates_are_computed_in_single(self) -> None:
        arguments = case(dtype=torch.float32)
        rough = arguments.pop("positions").bfloat16()
        actual = sampled_conv2d(**arguments, positions=rough, interpolation="bilinear")
        expected = sampled_conv2d(**arguments, positions=rough.float(), interpolation="bilinear")
        assert_near(actual, expected)

    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_far_positions_keep_to_the_border(self, backend: str, interpolation: str) -> None:
        x = torch.arange(12.0).view(1, 1, 3, 4) + 1
        far = torch.tensor([1e30, -1e30, float("inf"), float("-inf")])
        positions = torch.stack([far, far]).view(1, 1, 2, 4, 1)
        options = {"positions": positions, "interpolation": interpolation, "backend": backend}
        ones = torch.ones(1, 1, 1, 1)
        clamped = sampled_conv2d(x, ones, **options)
        assert clamped.flatten().tolist() == [12, 1, 12, 1]
        if interpolation == "nearest":
            outside = sampled_conv2d(x, ones, border="zero", **options)
            assert outside.flatten().tolist() == [0, 0, 0, 0]

    @pytest.mark.parametrize("backend", FAST)
    def test_nan_reads_inside_the_map(self, backend: str) -> None:
        positions = torch.full((1, 1, 2, 2, 1), float("nan"))
        out = sampled_conv2d(
            torch.ones(1, 1, 3, 4), torch.ones(1, 1, 1, 1), positions=positions, backend=backend
        )
        assert out.flatten().tolist() == [1, 1]

    @pytest.mark.parametrize("backend", FAST)
    def test_chosen_locations_equal_the_dense_output_there(self, backend: str) -> None:
        arguments = case(out_size=(7, 5), shared=True)
        del arguments["mask"]
        dense = sampled_conv2d(**arguments, backend=backend)
        y, x = torch.tensor([0, 3, 3, 6]), torch.tensor([4, 0, 0, 2])
        arguments["positions"] = arguments["positions"][..., y, x].unsqueeze(-1)
        sparse = sampled_conv2d(**arguments, backend=backend)
        assert_near(sparse[..., 0], dense[..., y, x])

    @pytest.mark.parametrize("backend", [*FAST, "reference"])
    @pytest.mark.parametrize(("batch", "out_size"), [(2, (0, 1)), (0, (3, 2)), (2, (3, 0))])
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_no_positions_give_an_empty_output(
        self, backend: str, batch: int, out_size: tuple[int, int], interpolation: str
    ) -> None:
        arguments = case(batch=batch, out_size=out_size)
        weight = arguments["weight"].requires_grad_()
        out = sampled_conv2d(**arguments, backend=backend, interpolation=interpolation)
        assert out.shape == (batch, 6, *out_size)
        out.sum().backward()
        assert weight.grad is not None
        assert weight.grad.abs().sum() == 0
