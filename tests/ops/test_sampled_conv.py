"""The fast paths against the slow oracle and against torch's own convolutions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from saccade.errors import InputError
from saccade.ops import conv_positions, sampled_conv2d, sampled_conv2d_reference
from saccade.ops.sampled_conv import chunked

CUDA = pytest.param(
    "cuda",
    marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
)
DEVICES = ["cpu", CUDA]
FAST = ["chunked", "traced"]
MODES = [(i, b) for i in ("nearest", "bilinear") for b in ("clamp", "zero")]
# Largest error allowed, as a share of the largest value of the expected tensor.
TOLERANCE = {
    torch.float64: 1e-12,
    torch.float32: 1e-5,
    torch.float16: 5e-3,
    torch.bfloat16: 4e-2,
}


def assert_near(actual: Tensor, expected: Tensor) -> None:
    assert actual.shape == expected.shape
    scale = expected.abs().max().item() if expected.numel() else 1.0
    torch.testing.assert_close(
        actual.double(), expected.double(), rtol=0, atol=TOLERANCE[actual.dtype] * max(scale, 1e-6)
    )


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def case(
    *,
    batch: int = 2,
    channels: int = 4,
    cout: int = 6,
    size: tuple[int, int] = (7, 5),
    kernel: tuple[int, int] = (3, 3),
    groups: int = 1,
    shared: bool = False,
    out_size: tuple[int, int] = (4, 6),
    dtype: torch.dtype = torch.float64,
) -> dict[str, Tensor]:
    """Arguments whose positions lie inside, on and far outside of the border."""
    taps = kernel[0] * kernel[1]
    spread = torch.tensor(size, dtype=torch.float64).view(2, 1, 1)
    positions = draw(1 if shared else batch, taps, 2, *out_size, seed=1) * spread + spread / 2
    coordinate = torch.float64 if dtype == torch.float64 else torch.float32
    return {
        "input": draw(batch, channels, *size, seed=2, dtype=dtype),
        "weight": draw(cout, channels // groups, *kernel, seed=3, dtype=dtype),
        "bias": draw(cout, seed=4, dtype=dtype),
        "positions": positions.to(coordinate),
        "mask": draw(batch, taps, *out_size, seed=5, dtype=coordinate),
    }


def results(arguments: dict[str, Tensor], backend: str, **options: object) -> dict[str, Tensor]:
    """Output and gradients, by name, of the mean square of the output."""
    leaves = {k: v.clone().requires_grad_() for k, v in arguments.items()}
    out = sampled_conv2d(**leaves, backend=backend, **options)
    out.double().square().mean().backward()
    grads = {f"grad {k}": v.grad for k, v in leaves.items() if v.grad is not None}
    return {"out": out.detach(), **grads}


def on(device: str, arguments: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.to(device) for k, v in arguments.items()}


class TestAgainstReference:
    @pytest.mark.parametrize("device", DEVICES)
    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize(("interpolation", "border"), MODES)
    @pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
    def test_output_and_gradients(
        self, device: str, backend: str, interpolation: str, border: str, dtype: torch.dtype
    ) -> None:
        options = {"interpolation": interpolation, "border": border}
        arguments = on(device, case(dtype=dtype))
        # The oracle runs in double, so that half precision is measured and not its copy.
        exact = {k: v.double() for k, v in arguments.items()}
        expected = results(exact, "reference", **options)
        actual = results(arguments, backend, **options)
        assert actual.keys() == expected.keys()
        assert ("grad positions" in actual) == (interpolation == "bilinear")
        assert actual["out"].dtype == dtype
        for name, value in actual.items():
            # The gradient of a mean square doubles the error of the output.
            tolerance = TOLERANCE[dtype] * 4
            scale = expected[name].abs().max().item()
            error = (value.double() - expected[name]).abs().max().item()
            assert error <= tolerance * scale, name

    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize(
        ("groups", "channels", "cout"), [(2, 4, 6), (4, 4, 4), (4, 4, 8), (1, 1, 1), (3, 6, 3)]
    )
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_groups(
        self, backend: str, groups: int, channels: int, cout: int, interpolation: str
    ) -> None:
        arguments = case(channels=channels, cout=cout, groups=groups)
        options = {"groups": groups, "interpolation": interpolation}
        expected = results(arguments, "reference", **options)
        actual = results(arguments, backend, **options)
        assert actual.keys() == expected.keys()
        for name, value in actual.items():
            assert_near(value, expected[name])

    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_positions_shared_by_the_batch(
        self, backend: str, masked: bool, interpolation: str
    ) -> None:
        arguments = case(batch=3, shared=True)
        if not masked:
            del arguments["mask"]
        expected = results(arguments, "reference", interpolation=interpolation)
        actual = results(arguments, backend, interpolation=interpolation)
        assert actual.keys() == expected.keys()
        for name, value in actual.items():
            assert_near(value, expected[name])

    @pytest.mark.parametrize("backend", FAST)
    def test_shared_mask(self, backend: str) -> None:
        arguments = case()
        arguments["mask"] = arguments["mask"][:1]
        expected = results(arguments, "reference", interpolation="bilinear")
        for name, value in results(arguments, backend, interpolation="bilinear").items():
            assert_near(value, expected[name])

    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 7)])
    @pytest.mark.parametrize(("interpolation", "border"), MODES)
    def test_small_and_odd_maps(
        self, backend: str, size: tuple[int, int], interpolation: str, border: str
    ) -> None:
        arguments = case(size=size)
        options = {"interpolation": interpolation, "border": border}
        expected = results(arguments, "reference", **options)
        for name, value in results(arguments, backend, **options).items():
            assert_near(value, expected[name])

    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    @pytest.mark.parametrize("points", [63, 64, 65, 200])
    def test_chunks_meet(
        self, monkeypatch: pytest.MonkeyPatch, points: int, interpolation: str
    ) -> None:
        monkeypatch.setattr(chunked, "_CHUNK_BYTES", {"cpu": 1})  # 64 rows, the least
        arguments = case(out_size=(points, 1))
        expected = results(arguments, "reference", interpolation=interpolation)
        for name, value in results(arguments, "chunked", interpolation=interpolation).items():
            assert_near(value, expected[name])

    @settings(max_examples=15, deadline=None)
    @given(
        seed=st.integers(0, 1000),
        size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
        kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
        mode=st.sampled_from(MODES),
        backend=st.sampled_from(FAST),
    )
    def test_any_shape_with_positions_on_and_between_pixels(
        self,
        seed: int,
        size: tuple[int, int],
        kernel: tuple[int, int],
        mode: tuple[str, str],
        backend: str,
    ) -> None:
        arguments = case(size=size, kernel=kernel)
        # Quarters meet pixel centres, ties of rounding and the border exactly.
        quarters = torch.randint(
            -12, 36, arguments["positions"].shape, generator=torch.Generator().manual_seed(seed)
        )
        arguments["positions"] = quarters.double() / 4
        options = {"interpolation": mode[0], "border": mode[1]}
        expected = results(arguments, "reference", **options)
        for name, value in results(arguments, backend, **options).items():
            assert_near(value, expected[name])


class TestGradcheck:
    @pytest.mark.parametrize("backend", [*FAST, "reference"])
    @pytest.mark.parametrize(("interpolation", "border"), MODES)
    def test_all_arguments(self, backend: str, interpolation: str, border: str) -> None:
        arguments = case(batch=2, channels=2, cout=2, size=(4, 3), kernel=(2, 2), out_size=(2, 2))
        if interpolation == "nearest":
            del arguments["mask"]
        # At a whole number the interpolation has a kink, and no numerical derivative.
        positions = arguments.pop("positions")
        positions = positions.floor() + 0.1 + 0.8 * (positions - positions.floor())
        positions.requires_grad_(interpolation == "bilinear")
        leaves = [v.requires_grad_() for v in arguments.values()]

        def run(positions: Tensor, *values: Tensor) -> Tensor:
            named = dict(zip(arguments, values, strict=True))
            return sampled_conv2d(
                **named,
                positions=positions,
                interpolation=interpolation,
                border=border,
                backend=backend,
            )

        assert torch.autograd.gradcheck(run, (positions, *leaves))

    def test_only_the_asked_gradients_are_made(self) -> None:
        arguments = case()
        arguments["weight"].requires_grad_()
        sampled_conv2d(**arguments, backend="chunked").sum().backward()
        assert arguments["weight"].grad is not None
        assert arguments["input"].grad is None

    def test_chunked_refuses_a_second_derivative(self) -> None:
        arguments = case()
        x = arguments["input"].requires_grad_()
        out = sampled_conv2d(**arguments, backend="chunked").square().sum()
        (grad,) = torch.autograd.grad(out, x, create_graph=True)
        with pytest.raises(RuntimeError, match="once_differentiable"):
            grad.sum().backward()


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
    def test_integers(self, backend: str, interpolation: str, border: str) -> None:
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
    def test_nothing_to_evaluate(
        self, backend: str, batch: int, out_size: tuple[int, int], interpolation: str
    ) -> None:
        arguments = case(batch=batch, out_size=out_size)
        weight = arguments["weight"].requires_grad_()
        out = sampled_conv2d(**arguments, backend=backend, interpolation=interpolation)
        assert out.shape == (batch, 6, *out_size)
        out.sum().backward()
        assert weight.grad is not None
        assert weight.grad.abs().sum() == 0


class TestDtypesAndLayouts:
    @pytest.mark.parametrize("backend", [*FAST, "reference"])
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_autocast(self, backend: str, interpolation: str) -> None:
        arguments = case(dtype=torch.float32)
        leaves = {k: v.clone().requires_grad_() for k, v in arguments.items()}
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = sampled_conv2d(**leaves, interpolation=interpolation, backend=backend)
        assert out.dtype == torch.bfloat16
        expected = sampled_conv2d(**arguments, interpolation=interpolation)
        assert_near(out, expected)
        out.float().square().mean().backward()
        assert leaves["input"].grad is not None
        assert leaves["input"].grad.dtype == torch.float32

    @pytest.mark.parametrize("backend", FAST)
    def test_autocast_leaves_double_alone(self, backend: str) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = sampled_conv2d(**case(), backend=backend)
        assert_near(out, sampled_conv2d_reference(**case()))

    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
    def test_output_has_the_layout_of_the_input(
        self, backend: str, layout: torch.memory_format
    ) -> None:
        arguments = case()
        expected = sampled_conv2d_reference(**arguments)
        arguments["input"] = arguments["input"].contiguous(memory_format=layout)
        actual = sampled_conv2d(**arguments, backend=backend)
        assert actual.is_contiguous(memory_format=layout)
        assert_near(actual, expected)

    @pytest.mark.parametrize("backend", FAST)
    def test_strided_views(self, backend: str) -> None:
        arguments = case(batch=2, size=(7, 5))
        wide = draw(2, 8, 14, 5, seed=9)
        arguments["input"] = wide[:, ::2, ::2]
        arguments["positions"] = arguments["positions"].flip(3)
        expected = results(arguments, "reference")
        for name, value in results(arguments, backend).items():
            assert_near(value, expected[name])

    def test_small_gradients_are_not_lost_in_half_precision(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chunked, "_CHUNK_BYTES", {"cpu": 1})  # 64 rows, the least
        x = torch.ones(1, 1, 2, 2, dtype=torch.bfloat16, requires_grad=True)
        weight = torch.ones(1, 1, 1, 1, dtype=torch.bfloat16, requires_grad=True)
        out = sampled_conv2d(x, weight, positions=torch.zeros(1, 1, 2, 4096, 1), backend="chunked")
        upstream = torch.full_like(out, 0.5)
        upstream[:, :, :64] = 256
        # 16384 from the first chunk, where the spacing of bf16 is 128, and 63 times 32 more.
        out.backward(upstream)
        assert x.grad is not None
        assert weight.grad is not None
        assert x.grad[0, 0, 0, 0].item() == pytest.approx(18400, rel=0.005)
        assert weight.grad.item() == pytest.approx(18400, rel=0.005)


class TestCompile:
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_fullgraph(self, interpolation: str) -> None:
        arguments = case(dtype=torch.float32)

        def run(arguments: dict[str, Tensor]) -> Tensor:
            return sampled_conv2d(**arguments, interpolation=interpolation, border="zero")

        expected = {k: v.clone().requires_grad_() for k, v in arguments.items()}
        actual = {k: v.clone().requires_grad_() for k, v in arguments.items()}
        eager = run(expected)
        compiled = torch.compile(run, fullgraph=True, backend="aot_eager")(actual)
        assert_near(compiled, eager)
        eager.square().mean().backward()
        compiled.square().mean().backward()
        for name, leaf in expected.items():
            if leaf.grad is not None:
                assert_near(actual[name].grad, leaf.grad)


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"input": torch.zeros(4, 7, 5)}, "input is"),
            ({"input": torch.zeros(2, 4, 7, 5).int()}, "input is"),
            ({"input": torch.zeros(2, 4, 0, 5)}, "at least one pixel"),
            ({"input": torch.zeros(2, 3, 7, 5).double()}, "with Cin 3"),
            ({"weight": torch.zeros(6, 4, 9)}, "weight is"),
            ({"weight": torch.zeros(6, 4, 3, 3)}, "weight is torch.float32"),
            ({"groups": 3}, "groups 3"),
            ({"groups": 0}, "groups 0"),
            ({"bias": torch.zeros(5).double()}, "bias is"),
            ({"bias": torch.zeros(6)}, "bias is torch.float32"),
            ({"positions": torch.zeros(2, 9, 2, 4)}, "positions is"),
            ({"positions": torch.zeros(2, 4, 2, 4, 6)}, "(B or 1, 9, 2, Ho, Wo)"),
            ({"positions": torch.zeros(3, 9, 2, 4, 6)}, "with B 2"),
            ({"mask": torch.zeros(2, 9, 4, 5)}, "mask is"),
            ({"mask": torch.zeros(3, 9, 4, 6)}, "mask is"),
            ({"interpolation": "cubic"}, "nearest, bilinear"),
            ({"border": "reflect"}, "clamp, zero"),
            ({"backend": "triton"}, "auto, chunked"),
        ],
    )
    def test_names_the_argument_in_one_line(self, change: dict[str, object], message: str) -> None:
        with pytest.raises(InputError) as caught:
            sampled_conv2d(**{**case(), **change})
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
