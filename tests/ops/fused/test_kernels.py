"""The Triton kernels against the reference: on a CUDA device, or through Triton's interpreter.

Without a device they skip here, and `test_fused.py` runs this file in a process of its own with
TRITON_INTERPRET=1, which Triton reads when it is imported.
"""

import pytest
import torch

from saccade.ops import (
    conv_positions,
    sampled_conv2d,
    sampled_conv2d_reference,
)
from tests.ops.fused.helpers import (
    DEVICE,
    HALF,
    HALF_MODES,
    MODES,
    REASON,
    assert_equals_reference,
    case,
    draw,
)

pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no fused kernel here: {REASON}")


class TestAgainstReference:
    @pytest.mark.parametrize(
        ("interpolation", "border", "dtype"),
        [(*mode, torch.float32) for mode in MODES]
        + [(*mode, dtype) for mode in HALF_MODES for dtype in HALF],
        ids=str,
    )
    def test_output_and_gradients_are_those_of_the_reference(
        self, interpolation: str, border: str, dtype: torch.dtype
    ) -> None:
        assert_equals_reference(case(dtype=dtype), interpolation=interpolation, border=border)

    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    @pytest.mark.parametrize(
        "shape",
        [
            {"channels": 40, "cout": 6, "groups": 2, "batch": 1},
            {"channels": 3, "cout": 6, "groups": 3, "batch": 1, "kernel": (1, 1)},
            {"channels": 40, "cout": 70, "kernel": (1, 1), "batch": 1},
            {"channels": 1, "cout": 1, "out_size": (5, 13), "kernel": (1, 1)},
            {"size": (1, 1), "batch": 1},
            {"size": (1, 9), "batch": 1},
            {"size": (9, 1), "out_size": (1, 1), "batch": 1},
            {"kernel": (3, 1), "shared": True},
        ],
        ids=str,
    )
    def test_every_shape_gives_the_reference(
        self, shape: dict[str, object], interpolation: str
    ) -> None:
        arguments = case(**shape)
        groups = shape.get("groups", 1)
        assert_equals_reference(
            arguments, groups=groups, interpolation=interpolation, border="zero"
        )

    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_bias_and_mask_may_be_left_out(self, interpolation: str) -> None:
        arguments = case(batch=1)
        del arguments["bias"], arguments["mask"]
        assert_equals_reference(arguments, interpolation=interpolation)

    def test_positions_on_quarters_and_borders_agree_exactly(self) -> None:
        arguments = case()
        arguments["positions"] = (arguments["positions"] * 4).round() / 4
        for interpolation, border in MODES:
            options = {"interpolation": interpolation, "border": border}
            expected = sampled_conv2d_reference(**arguments, **options)
            actual = sampled_conv2d(**arguments, backend="fused", **options)
            torch.testing.assert_close(actual, expected, rtol=0, atol=1e-4)

    def test_a_regular_grid_is_conv2d(self) -> None:
        x, weight = draw(1, 4, 6, 5), draw(3, 4, 3, 3)
        positions = conv_positions((6, 5), 3, stride=2, padding=1, device=DEVICE)
        actual = sampled_conv2d(x, weight, positions=positions, border="zero", backend="fused")
        expected = torch.nn.functional.conv2d(
            x.double(), weight.double(), stride=2, padding=1
        ).float()
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-4)

    @pytest.mark.parametrize("name", ["input", "weight", "positions", "mask"])
    def test_only_the_asked_gradient_is_made(self, name: str) -> None:
        arguments = case(batch=1, kernel=(1, 1))
        exact = {k: v.double() for k, v in arguments.items()}
        grads = []
        for backend, made in (("fused", arguments), ("reference", exact)):
            leaf = made[name].requires_grad_()
            out = sampled_conv2d(**made, interpolation="bilinear", backend=backend)
            grads.append(torch.autograd.grad(out.square().sum(), leaf)[0].double())
        torch.testing.assert_close(*grads, rtol=1e-4, atol=1e-4)

    def test_refuses_a_second_derivative(self) -> None:
        arguments = case(batch=1)
        x = arguments["input"].requires_grad_()
        out = sampled_conv2d(**arguments, backend="fused").square().sum()
        (grad,) = torch.autograd.grad(out, x, create_graph=True)
        with pytest.raises(RuntimeError):
            torch.autograd.grad(grad.square().sum(), x)


class TestLayoutsAndEdges:
    @pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
    def test_output_and_gradient_have_the_layout_of_the_input(
        self, layout: torch.memory_format
    ) -> None:
        arguments = case()
        arguments["input"] = arguments["input"].contiguous(memory_format=layout)
        assert_equals_reference(arguments, interpolation="bilinear")
        x = arguments["input"].requires_grad_()
        out = sampled_conv2d(**arguments, backend="fused")
        assert out.is_contiguous(memory_format=layout)
        (grad,) = torch.autograd.grad(out.sum(), x)  # from an expanded gradient
        assert grad.is_contiguous(memory_format=layout)

    def test_views_and_expanded_gradients(self) -> None:
        arguments = case()
        arguments["input"] = draw(2, 10, 10, 4, seed=9)[:, ::2, ::2]
        arguments["positions"] = arguments["positions"].flip(3)
        grads = []
        for backend in ("fused", "reference"):
            x = arguments["input"].detach().requires_grad_()
            out = sampled_conv2d(**{**arguments, "input": x}, backend=backend)
            grads.append(torch.autograd.grad(out.sum(), x)[0])
        torch.testing.assert_close(*grads, rtol=1e-4, atol=1e-4)

    @pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the interpreter
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_far_positions_and_nan_read_inside_the_map(self, interpolation: str) -> None:
        x = torch.arange(12.0, device=DEVICE).view(1, 1, 3, 4) + 1
        far = torch.tensor([1e30, -1e30, float("inf"), float("-inf"), float("nan")])
        positions = torch.stack([far, far]).view(1, 1, 2, 5, 1).to(DEVICE)
        ones = torch.ones(1, 1, 1, 1, device=DEVICE)
        options = {"positions": positions, "interpolation": interpolation, "backend": "fused"}
        assert sampled_conv2d(x, ones, **options).flatten().tolist()[:4] == [12, 1, 12, 1]
        outside = sampled_conv2d(x, ones, border="zero", **options)
        assert outside.flatten().tolist()[:4] == [0, 0, 0, 0]

    @pytest.mark.parametrize(("batch", "out_size"), [(2, (0, 1)), (0, (3, 2))])
    def test_no_positions_give_an_empty_output(self, batch: int, out_size: tuple[int, int]) -> None:
        arguments = case(batch=batch, out_size=out_size)
        leaves = [arguments[k].requires_grad_() for k in ("input", "weight")]
        out = sampled_conv2d(**arguments, backend="fused", interpolation="bilinear")
        assert out.shape == (batch, 3, *out_size)
        for grad in torch.autograd.grad(out.sum(), leaves):
            assert grad.abs().sum() == 0

    def test_small_gradients_are_not_lost_in_half_precision(self) -> None:
        x = torch.ones(1, 1, 2, 2, dtype=torch.bfloat16, device=DEVICE).requires_grad_()
        weight = torch.ones(1, 1, 1, 1, dtype=torch.bfloat16, device=DEVICE).requires_grad_()
        positions = torch.zeros(1, 1, 2, 640, 1, device=DEVICE)
        out = sampled_conv2d(x, weight, positions=positions, backend="fused")
        upstream = torch.full_like(out, 0.5)
        upstream[:, :, :64] = 256
        # 16384 from the first block, where the spacing of bf16 is 128, and 9 times 32 more.
        for grad in torch.autograd.grad(out, (x, weight), upstream):
            assert grad.flatten()[0].item() == pytest.approx(16672, rel=0.005)

    def test_autocast_computes_in_half_precision(self) -> None:
        arguments = case()
        leaves = {k: v.clone().requires_grad_() for k, v in arguments.items()}
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            out = sampled_conv2d(**leaves, backend="fused")
        assert out.dtype == torch.bfloat16
        out.float().sum().backward()
        assert leaves["input"].grad is not None
        assert leaves["input"].grad.dtype == torch.float32
