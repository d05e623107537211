"""The Triton kernels against the reference: on a CUDA device, or through Triton's interpreter.

Without a device they skip here, and `test_fused.py` runs this file in a process of its own with
TRITON_INTERPRET=1, which Triton reads when it is imported.
"""

import os

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

from saccade.ops import (
    conv_positions,
    gaussian_conv2d,
    gaussian_positions,
    sampled_conv2d,
    sampled_conv2d_reference,
)
from saccade.ops.fused import reason_against

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cuda" if torch.cuda.is_available() and not INTERPRETED else "cpu"
REASON = reason_against(torch.empty(1, device=DEVICE))
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no fused kernel here: {REASON}")

MODES = [(i, b) for i in ("nearest", "bilinear") for b in ("clamp", "zero")]
HALF = [torch.float16, torch.bfloat16]
HALF_MODES = MODES if DEVICE == "cuda" else [("nearest", "clamp"), ("bilinear", "zero")]
# Largest error, as a share of the largest value, that docs/operator.md allows.
TOLERANCE = {torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(DEVICE, dtype)


def case(
    *,
    batch: int = 2,
    channels: int = 5,
    cout: int = 3,
    size: tuple[int, int] = (5, 4),
    kernel: tuple[int, int] = (1, 2),
    groups: int = 1,
    shared: bool = False,
    out_size: tuple[int, int] = (3, 4),
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Arguments whose positions lie inside, on and far outside of the border."""
    taps = kernel[0] * kernel[1]
    spread = torch.tensor(size, device=DEVICE).view(2, 1, 1)
    batches = 1 if shared else batch
    return {
        "input": draw(batch, channels, *size, seed=2, dtype=dtype),
        "weight": draw(cout, channels // groups, *kernel, seed=3, dtype=dtype),
        "bias": draw(cout, seed=4, dtype=dtype),
        "positions": draw(batches, taps, 2, *out_size, seed=1) * spread + spread / 2,
        "mask": draw(batches, taps, *out_size, seed=5),
    }


def results(arguments: dict[str, Tensor], backend: str, **options: object) -> dict[str, Tensor]:
    """Output and gradients, by name, of the mean square of the output."""
    leaves = {k: v.detach().clone().requires_grad_() for k, v in arguments.items()}
    out = sampled_conv2d(**leaves, backend=backend, **options)
    out.double().square().mean().backward()
    grads = {f"grad {k}": v.grad for k, v in leaves.items() if v.grad is not None}
    return {"out": out.detach(), **grads}


def assert_equals_reference(arguments: dict[str, Tensor], **options: object) -> None:
    dtype = arguments["input"].dtype
    exact = {k: v.double() for k, v in arguments.items()}
    expected = results(exact, "reference", **options)
    actual = results(arguments, "fused", **options)
    assert actual.keys() == expected.keys()
    for name, value in actual.items():
        assert value.shape == expected[name].shape, name
        scale = expected[name].abs().max().item()
        error = (value.double() - expected[name]).abs().max().item()
        # The gradient of a mean square doubles the error of the output.
        assert error <= 4 * TOLERANCE[dtype] * max(scale, 1e-6), name


class TestAgainstReference:
    @pytest.mark.parametrize(
        ("interpolation", "border", "dtype"),
        [(*mode, torch.float32) for mode in MODES]
        + [(*mode, dtype) for mode in HALF_MODES for dtype in HALF],
        ids=str,
    )
    def test_output_and_gradients(
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
    def test_shapes(self, shape: dict[str, object], interpolation: str) -> None:
        arguments = case(**shape)
        groups = shape.get("groups", 1)
        assert_equals_reference(
            arguments, groups=groups, interpolation=interpolation, border="zero"
        )

    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_without_bias_and_mask(self, interpolation: str) -> None:
        arguments = case(batch=1)
        del arguments["bias"], arguments["mask"]
        assert_equals_reference(arguments, interpolation=interpolation)

    def test_quarters_and_borders(self) -> None:
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
    def test_nothing_to_evaluate(self, batch: int, out_size: tuple[int, int]) -> None:
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

    def test_autocast(self) -> None:
        arguments = case()
        leaves = {k: v.clone().requires_grad_() for k, v in arguments.items()}
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            out = sampled_conv2d(**leaves, backend="fused")
        assert out.dtype == torch.bfloat16
        out.float().sum().backward()
        assert leaves["input"].grad is not None
        assert leaves["input"].grad.dtype == torch.float32


def read_positions(size: tuple[int, int], **options: object) -> Tensor:
    """What the kernel of 2x3 taps draws, clamped to the map: (T, 2, H, W).

    The map holds its own coordinates, and every output reads one of them through one tap.
    """
    y, x = torch.meshgrid(*(torch.arange(float(n)) for n in size), indexing="ij")
    coordinates = torch.stack([y, x]).unsqueeze(0).to(DEVICE)
    weight = torch.eye(12, device=DEVICE).view(12, 6, 2).permute(0, 2, 1).reshape(12, 2, 2, 3)
    return gaussian_conv2d(coordinates, weight, backend="fused", **options).view(6, 2, *size)


class TestDrawn:
    @pytest.mark.parametrize(
        ("granularity", "rounding"),
        [(g, "nearest") for g in ("location", "tap", "layer")]
        + [("location", "floor"), ("location", "none")],
    )
    def test_positions_are_those_of_the_seed(self, granularity: str, rounding: str) -> None:
        size = (7, 10)
        limit = torch.tensor(size, device=DEVICE).view(2, 1, 1) - 1
        options = {"granularity": granularity, "rounding": rounding, "sigma": (1.7, 3.3)}
        drawn = gaussian_positions(size, (2, 3), seed=-5, device=DEVICE, **options)[0]
        expected = torch.minimum(drawn.clamp_min(0), limit)
        # Whole positions are equal, and pass through a product of 0 and 1 unharmed.
        tolerance = 1e-5 if rounding == "none" else 0
        actual = read_positions(size, seed=-5, **options)
        torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)

    @pytest.mark.skipif(DEVICE == "cpu", reason="too large for the interpreter")
    def test_a_million_positions_are_equal(self) -> None:
        size = (400, 500)
        limit = torch.tensor(size, device=DEVICE).view(2, 1, 1) - 1
        drawn = gaussian_positions(size, (2, 3), (80.0, 80.0), seed=1)[0].to(DEVICE)
        actual = read_positions(size, seed=1, sigma=(80.0, 80.0))
        assert torch.equal(actual, torch.minimum(drawn.clamp_min(0), limit))

    @pytest.mark.parametrize(
        ("rounding", "border", "dtype"),
        [("nearest", "clamp", dtype) for dtype in TOLERANCE] + [("none", "zero", torch.float32)],
        ids=str,
    )
    def test_gradients_are_those_at_the_same_positions(
        self, rounding: str, border: str, dtype: torch.dtype
    ) -> None:
        made = case(batch=1, size=(6, 5), kernel=(1, 3), dtype=dtype)
        leaves = [made[k].requires_grad_() for k in ("input", "weight", "bias")]
        exact = [leaf.detach().double().requires_grad_() for leaf in leaves]
        options = {"sigma": 2.0, "seed": 11, "rounding": rounding, "border": border}
        actual = gaussian_conv2d(*leaves, backend="fused", **options)
        expected = gaussian_conv2d(*exact, backend="reference", **options)
        for name, mine, theirs in zip(
            ("out", "input", "weight", "bias"),
            (actual, *torch.autograd.grad(actual.float().square().sum(), leaves)),
            (expected, *torch.autograd.grad(expected.square().sum(), exact)),
            strict=True,
        ):
            error = (mine.double() - theirs).abs().max().item()
            assert error <= 4 * TOLERANCE[dtype] * theirs.abs().max().item(), name

    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (70, 1)])
    def test_thin_maps(self, size: tuple[int, int]) -> None:
        x, weight = draw(1, 3, *size), draw(2, 3, 3, 1)
        torch.testing.assert_close(
            gaussian_conv2d(x, weight, sigma=3.0, seed=1, backend="fused"),
            gaussian_conv2d(x, weight, sigma=3.0, seed=1, backend="reference"),
            rtol=1e-4,
            atol=1e-4,
        )


def operator_arguments(*, drawn: bool) -> tuple[object, ...]:
    made = case(batch=1, size=(3, 4))
    tensors = [made[k].requires_grad_() for k in ("input", "weight", "bias")]
    if drawn:
        seed = torch.tensor(3, device=DEVICE)
        return (*tensors, None, None, seed, False, False, 1, 2.0, 1.0, "location", False)
    where = [made[k].requires_grad_() for k in ("positions", "mask")]
    return (*tensors, *where, None, True, True, 1, 0.0, 0.0, "location", False)


class TestOperator:
    # opcheck asks a copy of the arguments, which is no leaf, for its gradient.
    @pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")
    @pytest.mark.parametrize("drawn", [True, False])
    def test_opcheck(self, drawn: bool) -> None:
        torch.library.opcheck(
            torch.ops.saccade.sampled_conv2d.default, operator_arguments(drawn=drawn)
        )

    def test_opcheck_of_the_gradient(self) -> None:
        x, weight, _, positions, mask, seed, *rest = operator_arguments(drawn=False)
        grad = draw(1, 3, 3, 4)
        tensors = [None if t is None else t.detach() for t in (x, weight, positions, mask, seed)]
        torch.library.opcheck(
            torch.ops.saccade.sampled_conv2d_backward.default,
            (grad, *tensors, *rest, [True, True, False, True]),
            test_utils=("test_schema", "test_faketensor"),
        )

    def test_one_graph_for_all_seeds(self) -> None:
        x, weight = draw(1, 2, 4, 3).requires_grad_(), draw(2, 2, 1, 2)

        def run(x: Tensor, seed: Tensor) -> Tensor:
            return gaussian_conv2d(x, weight, sigma=2.0, seed=seed, backend="fused")

        torch._dynamo.reset()
        counter = CompileCounterWithBackend("aot_eager")
        compiled = torch.compile(run, fullgraph=True, backend=counter)
        for number in (1, 2):
            seed = torch.tensor(number, device=DEVICE)
            one, other = compiled(x, seed), run(x, seed)
            assert torch.equal(one, other)
            grads = [torch.autograd.grad(out.square().sum(), x)[0] for out in (one, other)]
            torch.testing.assert_close(*grads)
        assert counter.frame_count == 1

    def test_explicit_positions_compile_as_one_graph(self) -> None:
        arguments = case(batch=1)

        def run(arguments: dict[str, Tensor]) -> Tensor:
            return sampled_conv2d(**arguments, interpolation="bilinear", backend="fused")

        compiled = torch.compile(run, fullgraph=True, backend="aot_eager")
        assert torch.equal(compiled(arguments), run(arguments))


@pytest.mark.skipif(DEVICE == "cpu", reason="no CUDA device")
class TestCuda:
    def test_auto_takes_the_kernel_and_deterministic_algorithms_do_not(self) -> None:
        arguments = {**case(channels=32, cout=32, size=(40, 40), out_size=(40, 40))}
        x = arguments["input"].requires_grad_()
        out = sampled_conv2d(**arguments)
        assert "saccade" in out.grad_fn.name().lower()
        grads = []
        for _ in range(2):
            torch.use_deterministic_algorithms(True)
            try:
                (grad,) = torch.autograd.grad(sampled_conv2d(**arguments).square().sum(), x)
            finally:
                torch.use_deterministic_algorithms(False)
            grads.append(grad)
        assert torch.equal(*grads)

    @pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
    @pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
    def test_forward_allocates_the_output_and_little_more(
        self, dtype: torch.dtype, layout: torch.memory_format
    ) -> None:
        x = draw(4, 32, 160, 240, dtype=dtype).contiguous(memory_format=layout)
        weight = draw(32, 32, 3, 3, dtype=dtype)
        gaussian_conv2d(x, weight, sigma=32.0, seed=1)
        torch.cuda.synchronize()
        seed = torch.tensor(1, device=DEVICE)
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        out = gaussian_conv2d(x, weight, sigma=32.0, seed=seed)
        used = torch.cuda.max_memory_allocated() - before
        both = (x.numel() + out.numel()) * x.element_size()
        assert used + x.numel() * x.element_size() <= 1.2 * both
