"""The fused kernel's own positions, and its operator; run like `test_kernels.py`."""

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

from saccade.ops import (
    gaussian_conv2d,
    gaussian_positions,
    sampled_conv2d,
)
from tests.ops.fused.helpers import DEVICE, REASON, TOLERANCE, case, draw

pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no fused kernel here: {REASON}")


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
    def test_maps_of_one_row_or_column_are_convolved(self, size: tuple[int, int]) -> None:
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
    def test_the_operator_passes_opcheck(self, drawn: bool) -> None:
        torch.library.opcheck(
            torch.ops.saccade.sampled_conv2d.default, operator_arguments(drawn=drawn)
        )

    def test_the_gradient_passes_opcheck(self) -> None:
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
