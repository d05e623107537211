"""The fast paths against the slow oracle and against torch's own convolutions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from saccade.ops import sampled_conv2d
from saccade.ops.sampled_conv import chunked
from tests.ops.helpers import DEVICES, FAST, MODES, TOLERANCE, assert_near, case, on, results


class TestAgainstReference:
    @pytest.mark.parametrize("device", DEVICES)
    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize(("interpolation", "border"), MODES)
    @pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
    def test_output_and_gradients_are_those_of_the_reference(
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
    def test_groups_give_the_reference(
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
    def test_positions_may_be_shared_by_the_batch(
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
    def test_a_mask_may_be_shared_by_the_batch(self, backend: str) -> None:
        arguments = case()
        arguments["mask"] = arguments["mask"][:1]
        expected = results(arguments, "reference", interpolation="bilinear")
        for name, value in results(arguments, backend, interpolation="bilinear").items():
            assert_near(value, expected[name])

    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 7)])
    @pytest.mark.parametrize(("interpolation", "border"), MODES)
    def test_small_and_odd_maps_give_the_reference(
        self, backend: str, size: tuple[int, int], interpolation: str, border: str
    ) -> None:
        arguments = case(size=size)
        options = {"interpolation": interpolation, "border": border}
        expected = results(arguments, "reference", **options)
        for name, value in results(arguments, backend, **options).items():
            assert_near(value, expected[name])

    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    @pytest.mark.parametrize("points", [63, 64, 65, 200])
    def test_chunks_meet_without_a_seam(
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
    def test_any_shape_agrees_on_and_between_pixels(
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
    def test_gradients_of_all_arguments_pass_gradcheck(
        self, backend: str, interpolation: str, border: str
    ) -> None:
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
