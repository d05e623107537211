"""Where the fused kernel runs, and that it does: interpreted and compiled, in own processes."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from saccade.errors import InputError
from saccade.ops import gaussian_conv2d, sampled_conv2d
from saccade.ops.fused import reason_against
from saccade.ops.sampled_conv.function import choose_path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed"
)
no_kernel = pytest.mark.skipif(
    reason_against(torch.empty(1)) is None, reason="under Triton's interpreter"
)


def run(*command: str, **variables: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@needs_triton
@no_kernel
@pytest.mark.timeout(900)
def test_kernels_equal_the_reference_in_the_interpreter() -> None:
    tests = [str(HERE / name) for name in ("test_fused_kernel.py", "test_fused_operator.py")]
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    output = run("-m", "pytest", *options, *tests, TRITON_INTERPRET="1", CUDA_VISIBLE_DEVICES="")
    assert " passed" in output
    assert "no fused kernel here" not in output


@needs_triton
@no_kernel
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="Triton's compiler comes for Linux")
def test_kernels_compile_for_a_card(tmp_path: Path) -> None:
    output = run(str(HERE / "compile_kernels.py"), TRITON_CACHE_DIR=str(tmp_path))
    assert output.count("compiled") == 6


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
