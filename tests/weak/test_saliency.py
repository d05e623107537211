import numpy as np
import pytest
from PIL import Image

from saccade.errors import InputError
from saccade.weak.saliency import background_cue, read_saliency, saliency_of


def test_saliency_files_are_scaled_and_checked(tmp_path):
    values = np.array([[10, 20, 30], [30, 40, 60]], np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    np.save(tmp_path / "b.npy", values / 7)
    Image.fromarray(values.astype(np.uint16) * 256).save(tmp_path / "c.png")
    for name in ("a.png", "b.npy", "c.png"):
        found = read_saliency(tmp_path / name, (2, 3))
        np.testing.assert_allclose(found, (values - 10) / 50, atol=1e-6)
    with pytest.raises(InputError, match=r"3 x 2 pixels \(width x height\), its image has 4 x 2"):
        read_saliency(tmp_path / "a.png", (2, 4))
    (tmp_path / "d.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match="not a NumPy array"):
        read_saliency(tmp_path / "d.npy", (2, 3))
    np.save(tmp_path / "e.npy", np.full((2, 3), np.nan))
    with pytest.raises(InputError, match="finite"):
        read_saliency(tmp_path / "e.npy", (2, 3))
    Image.fromarray(np.full((2, 3), 9, np.uint8)).save(tmp_path / "f.png")
    assert (read_saliency(tmp_path / "f.png", (2, 3)) == 0).all()


def test_background_cue_by_value_and_by_share():
    saliency = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    assert background_cue(saliency).sum() == 6
    assert background_cue(saliency, 0.3, percentile=True).sum() == 30
    with pytest.raises(InputError, match="threshold is 2"):
        background_cue(saliency, 2)


@pytest.mark.parametrize("method", ["fine-grained", "spectral"])
def test_opencv_finds_what_stands_out(method):
    pytest.importorskip("cv2", reason="saliency needs opencv-contrib")
    image = np.full((96, 128, 3), 100, np.uint8)
    image[:, :, 1] += np.arange(128, dtype=np.uint8) // 4
    image[40:56, 50:74] = (230, 30, 30)
    found = saliency_of(image, method)
    assert found.shape == (96, 128)
    assert (found.min(), found.max()) == (0, 1)
    assert found[40:56, 50:74].mean() > 2 * found[:30].mean()


def test_an_unknown_saliency_is_refused():
    with pytest.raises(InputError, match="expected fine-grained or spectral"):
        saliency_of(np.zeros((4, 4, 3), np.uint8), "dreams")
