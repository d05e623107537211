import numpy as np
import pytest
from PIL import Image

from saccade.errors import InputError
from saccade.experiments.engine.load_samples import load_sample
from saccade.experiments.engine.samples import Sample, limit_samples, shared_samples
from tests.experiments.conftest import SHAPE, save


def test_shared_sets_are_read(root):
    plan = shared_samples(root, ("thin", "camvid"))
    assert [(s.set, s.stem) for s in plan.samples] == [
        ("thin", "a"),
        ("thin", "b"),
        ("thin", "c"),
        ("camvid", "f1"),
        ("camvid", "f2"),
    ]
    pair = load_sample(plan.samples[-1])
    assert pair.image.shape == (*SHAPE, 3)
    assert set(np.unique(pair.truth)) == {0, 1, 255}  # void is unknown
    assert set(np.unique(pair.strokes)) == {0, 1, 255}


def test_what_is_missing_is_named(root):
    with pytest.raises(InputError, match=r"set 'dense': no folder .*scribbles_dense"):
        shared_samples(root, ("thin", "dense"))
    with pytest.raises(InputError, match="set 'nope' is unknown; choose from thin"):
        shared_samples(root, ("nope",))
    (root / "iseg/masks/b.png").unlink()
    with pytest.raises(InputError, match=r"masks: no file for the strokes b\.png"):
        shared_samples(root, ("thin",))


def test_a_set_without_strokes_is_refused(root):
    (root / "iseg/scribbles_full").mkdir()
    with pytest.raises(InputError, match="no strokes there"):
        shared_samples(root, ("full",))


@pytest.mark.parametrize(
    ("limit", "kept"), [(None, "0123456"), (7, "0123456"), (9, "0123456"), (3, "024"), (1, "0")]
)
def test_thinning_spreads_evenly(tmp_path, limit, kept):
    samples = [Sample("thin", str(i), tmp_path, tmp_path, tmp_path) for i in range(7)]
    samples.append(Sample("camvid", "x", tmp_path, tmp_path, tmp_path))
    assert [s.stem for s in limit_samples(samples, limit)] == [*kept, "x"]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 4)), r"size \(3, 4\)"),
        (np.full(SHAPE, 2), "holds class 2, expected 0 to 1"),
        (np.full(SHAPE, 255), "fewer than two classes"),
        (np.arange(12 * 16 * 3).reshape(*SHAPE, 3) % 251, "colored"),
    ],
)
def test_unusable_strokes_are_named(root, array, message):
    save(root / "iseg/scribbles_thin/a.png", array)
    with pytest.raises(InputError, match=message):
        load_sample(shared_samples(root, ("thin",)).samples[0])


def test_a_file_that_is_no_image_is_named(root):
    (root / "iseg/masks/a.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"a\.png: not an image that can be read"):
        load_sample(shared_samples(root, ("thin",)).samples[0])


def test_a_palette_gives_its_indices(root):
    path = root / "iseg/masks/a.png"
    with Image.open(path) as file:
        image = Image.fromarray(np.asarray(file))
    before = np.asarray(image)
    image.putpalette([i for k in range(256) for i in (255 - k, 0, 3)])
    image.save(path)
    np.testing.assert_array_equal(
        load_sample(shared_samples(root, ("thin",)).samples[0]).truth, before
    )
