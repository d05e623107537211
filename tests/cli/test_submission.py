import tarfile

import numpy as np
import pytest
from PIL import Image

from saccade.data.known import VOC
from saccade.data.palette import voc_palette
from saccade.models.checkpoint import save_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from tests.cli.networks import check, run, trained  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore")

FOLDER = "results/VOC2012/Segmentation/comp6_test_cls"


@pytest.fixture(scope="module")
def voc(tmp_path_factory):
    """VOC's test archive in small, and a network of its 21 classes."""
    root = tmp_path_factory.mktemp("voc")
    generator = np.random.default_rng(0)
    (root / "JPEGImages").mkdir()
    for stem in ("2008_000001", "2008_000002", "2008_000003"):
        image = generator.integers(0, 256, (40, 52, 3), np.uint8)
        Image.fromarray(image).save(root / f"JPEGImages/{stem}.jpg")
    (root / "test.txt").write_text("2008_000003\n2008_000001\n")
    config = SegmentationConfig(21, width=8, pyramid="none")
    save_checkpoint(root / "net.safetensors", config, SegmentationNet(config).state_dict(), VOC, {})
    return root


def predict(root, out, *more):
    arguments = (root / "net.safetensors", root / "JPEGImages", "-o", out, "--no-overlay")
    return run("predict", *arguments, "--device", "cpu", *more)


def test_a_list_is_predicted_and_packed_for_the_server(voc, tmp_path):
    archive = tmp_path / "results.tgz"
    more = ("--list", voc / "test.txt", "--submission", archive)
    check(predict(voc, tmp_path / "out", *more), "2 masks", "results.tgz, 2 masks")
    names = [f"{FOLDER}/2008_000003.png", f"{FOLDER}/2008_000001.png"]
    with tarfile.open(archive) as packed:
        assert packed.getnames() == names
        with Image.open(packed.extractfile(names[0])) as mask:
            assert (mask.mode, mask.size) == ("P", (52, 40))
            assert np.asarray(mask).max() < 21
            colors = np.array(mask.getpalette()).reshape(-1, 3)
            np.testing.assert_array_equal(colors[:21], voc_palette(21))
    assert not (tmp_path / "out/2008_000002.png").exists()


def test_what_the_server_would_refuse_is_refused_first(voc, trained, tmp_path):  # noqa: F811
    (tmp_path / "list.txt").write_text("2008_000009\n")
    result = predict(voc, tmp_path / "out", "--list", tmp_path / "list.txt")
    check(result, "1 of 1 lines have no image among the 3 given, '2008_000009' for one", code=1)
    result = predict(voc, tmp_path / "out", "--submission", tmp_path / "x.zip")
    check(result, "expected a name in .tgz, .tar.gz, .tar", code=1)
    arguments = (trained / "run/last.safetensors", voc / "JPEGImages", "-o", tmp_path / "out")
    result = run("predict", *arguments, "--submission", tmp_path / "x.tgz")
    check(result, "for VOC's server, but the network knows 3 classes", code=1)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("*.png"))
