"""Where the fused kernel runs, and that it does: interpreted and compiled, in own processes."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from saccade.errors import InputError
from saccade.ops import gaussian_conv2d, sampled_conv2d
from saccade.ops.fused import reason_against
from saccade.ops.sampled_conv.function import choose_path
from tests.helpers import run_python

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed"
)
no_kernel = pytest.mark.skipif(
    reason_against(torch.empty(1)) is None, reason="under Triton's interpreter"
)


@pytest.mark.slow
@needs_triton
@no_kernel
def test_kernels_equal_the_reference_in_the_interpreter() -> None:
    tests = [str(HERE / name) for name in ("test_kernels.py", "test_operator.py")]
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    command = ("-m", "pytest", *options, *tests)
    done = run_python(*command, cwd=ROOT, TRITON_INTERPRET="1", CUDA_VISIBLE_DEVICES="")
    assert " passed" in done.stdout
    assert "no fused kernel here" not in done.stdout


@pytest.mark.slow
@needs_triton
@no_kernel
@pytest.mark.skipif(sys.platform != "linux", reason="Triton's compiler comes for Linux")
def test_kernels_compile_for_a_card(tmp_path: Path) -> None:
    done = run_python(HERE / "compile_kernels.py", cwd=ROOT, TRITON_CACHE_DIR=str(tmp_path))
    assert done.stdout.count("compiled") == 6


@no_kernel
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_refused_with_the_reason(dtype: torch.dtype) -> None:
    x = torch.zeros(1, 2, 3, 4, dtype=dtype)
    weight = torch.zeros(2, 2, 1, 1, dtype=dtype)
    reason = "float64" if dtype == torch.float64 else "NVIDIA|Triton is not installed"
    with pytest.raises(InputError, match=f"backend is 'fused'.*({reason})"):
        gaussian_conv2d(x, weight, sigma=1.0, seed=0, backend="fused")
    with pytest.raises(InputError, match="backend is 'fused'"):
        sampled_conv2d(x, weight, positions=torch.zeros(1, 1, 2, 3, 4), backend="fused")


@pytest.mark.parametrize("backend", ["chunked", "traced", "reference"])
def test_a_named_path_is_taken(backend: str) -> None:
    assert choose_path(backend, torch.zeros(1, 2, 3, 4), 1) == backend


def test_auto_on_a_cpu_is_the_eager_path() -> None:
    assert choose_path("auto", torch.zeros(1, 2, 3, 4), 1) == "chunked"
