"""`saccade segment` for one image: what it writes, says and returns."""

import json

import numpy as np
import pytest
from PIL import Image

from saccade.cli.outputs import MASK_SUFFIXES
from saccade.formats.masks import MASK_FORMATS, read_mask
from saccade.images import load_image
from tests.cli import fake
from tests.cli.conftest import SHAPE, tree


def expected_labels(strokes):
    labels = np.asarray(Image.open(strokes)).astype(np.int32)
    return np.where(labels == 255, 0, labels)


def test_mask_and_overlay_are_written_and_their_places_printed(saccade_cli, pair, tmp_path):
    out = tmp_path / "deep" / "out"
    result = saccade_cli("segment", *pair, "-o", out)
    assert result.exit_code == 0
    assert tree(out) == {"photo.png", "overlay/photo.png"}
    assert str(out / "photo.png") in result.stdout
    assert str(out / "overlay" / "photo.png") in result.stdout
    np.testing.assert_array_equal(read_mask(out / "photo.png"), expected_labels(pair[1]))
    assert load_image(out / "overlay" / "photo.png").shape == (*SHAPE, 3)


def test_the_meaning_of_255_is_printed(saccade_cli, pair, tmp_path):
    result = saccade_cli("segment", *pair, "-o", tmp_path / "out")
    (line,) = result.stderr.splitlines()
    assert line.startswith("drawn.png: ")
    assert "255 = unlabelled" in line


def test_quiet_prints_nothing(saccade_cli, pair, tmp_path):
    result = saccade_cli("segment", *pair, "-o", tmp_path / "out", "--quiet")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("fmt", MASK_SUFFIXES)
def test_every_format_reads_back(saccade_cli, pair, tmp_path, fmt):
    out = tmp_path / "out"
    assert saccade_cli("segment", *pair, "-o", out, "--format", fmt).exit_code == 0
    mask = out / f"photo{MASK_SUFFIXES[fmt]}"
    np.testing.assert_array_equal(read_mask(mask, fmt), expected_labels(pair[1]))


def test_all_formats_lie_beside_each_other(saccade_cli, pair, tmp_path):
    out = tmp_path / "out"
    options = [x for fmt in MASK_SUFFIXES for x in ("--format", fmt)]
    assert saccade_cli("segment", *pair, "-o", out, "--no-overlay", *options).exit_code == 0
    assert tree(out) == {f"photo{suffix}" for suffix in MASK_SUFFIXES.values()}
    assert len(tree(out)) == len(MASK_FORMATS)


def test_formats_are_those_that_can_be_written():
    assert set(MASK_SUFFIXES) == set(MASK_FORMATS)


def test_uncertainty_and_probabilities_are_written_on_request(saccade_cli, pair, tmp_path):
    out = tmp_path / "out"
    result = saccade_cli(
        "segment", *pair, "-o", out, "--no-overlay", "--uncertainty", "--probabilities"
    )
    assert result.exit_code == 0
    assert tree(out) == {"photo.png", "uncertainty/photo.png", "probabilities/photo.npz"}
    picture = np.asarray(Image.open(out / "uncertainty" / "photo.png"))
    assert picture[-1, -1].sum() > picture[0, 0].sum()
    with np.load(out / "probabilities" / "photo.npz") as file:
        probabilities, classes = file["probabilities"], file["classes"]
    assert probabilities.dtype == np.float16
    assert probabilities.shape == (2, *SHAPE)
    np.testing.assert_array_equal(classes, [0, 1])
    np.testing.assert_array_equal(probabilities.argmax(axis=0), expected_labels(pair[1]))


def test_options_reach_the_segmenter(saccade_cli, pair, tmp_path):
    options = ("--preset", "paper", "--seed", "7", "--device", "cpu")
    assert saccade_cli("segment", *pair, "-o", tmp_path / "out", *options).exit_code == 0
    assert fake.calls == [{"preset": "paper", "seed": 7, "device": "cpu", "unlabeled": 255}]


def test_unlabeled_decides_what_zero_means(saccade_cli, pair, tmp_path):
    labels = np.asarray(Image.open(pair[1])).copy()
    labels[labels == 255] = 0
    labels[5, 5:9] = 2
    Image.fromarray(labels).save(pair[1])
    options = ("--unlabeled", "0", "--format", "tiff")
    result = saccade_cli("segment", *pair, "-o", tmp_path / "out", *options)
    assert result.exit_code == 0
    assert set(np.unique(read_mask(tmp_path / "out" / "photo.tif"))) == {1, 2}


def test_names_reach_the_mask(saccade_cli, pair, tmp_path):
    names = tmp_path / "classes.txt"
    names.write_text("sky\ntree\nnever drawn\n", encoding="utf-8")
    options = ("--classes", names, "--format", "coco")
    assert saccade_cli("segment", *pair, "-o", tmp_path / "out", *options).exit_code == 0
    document = json.loads((tmp_path / "out" / "photo.coco.json").read_text(encoding="utf-8"))
    found = {c["id"]: c["name"] for c in document["categories"]}
    assert found == {0: "sky", 1: "tree", 2: "never drawn"}


def test_a_second_run_keeps_the_mask(saccade_cli, pair, tmp_path):
    mask = tmp_path / "out" / "photo.png"
    saccade_cli("segment", *pair, "-o", mask.parent)
    mask.write_bytes(b"corrected by hand")
    result = saccade_cli("segment", *pair, "-o", mask.parent)
    assert result.exit_code == 0
    assert "already done" in result.stderr
    assert mask.read_bytes() == b"corrected by hand"
    assert len(fake.calls) == 1


def test_overwrite_redoes_the_mask(saccade_cli, pair, tmp_path):
    mask = tmp_path / "out" / "photo.png"
    saccade_cli("segment", *pair, "-o", mask.parent)
    mask.write_bytes(b"stale")
    assert saccade_cli("segment", *pair, "-o", mask.parent, "--overwrite").exit_code == 0
    np.testing.assert_array_equal(read_mask(mask), expected_labels(pair[1]))


def test_asking_for_more_later_adds_only_that(saccade_cli, pair, tmp_path):
    out = tmp_path / "out"
    saccade_cli("segment", *pair, "-o", out, "--no-overlay")
    (out / "photo.png").write_bytes(b"corrected by hand")
    assert saccade_cli("segment", *pair, "-o", out, "--uncertainty").exit_code == 0
    assert tree(out) == {"photo.png", "overlay/photo.png", "uncertainty/photo.png"}
    assert (out / "photo.png").read_bytes() == b"corrected by hand"


def test_without_the_mask_everything_is_done_again(saccade_cli, pair, tmp_path):
    out = tmp_path / "out"
    saccade_cli("segment", *pair, "-o", out)
    (out / "photo.png").unlink()
    (out / "overlay" / "photo.png").write_bytes(b"of a run that was stopped")
    assert saccade_cli("segment", *pair, "-o", out).exit_code == 0
    assert load_image(out / "overlay" / "photo.png").shape == (*SHAPE, 3)
    assert (out / "photo.png").exists()


@pytest.mark.parametrize("fmt", MASK_SUFFIXES)
def test_classes_that_do_not_fit_the_format_are_refused_before_the_work(
    saccade_cli, pair, tmp_path, fmt
):
    labels = np.zeros(SHAPE, np.uint16)
    labels[2:5], labels[9:12] = 2, 300
    strokes = tmp_path / "many.png"
    Image.fromarray(labels).save(strokes)
    fake.calls.clear()
    out = tmp_path / "out"
    result = saccade_cli(
        "segment", pair[0], strokes, "-o", out, "--format", fmt, "--unlabeled", "0"
    )
    if fmt != "png":
        assert result.exit_code == 0
        return
    assert result.exit_code == 1
    assert "many.png: label 300 does not fit a palette PNG" in result.stderr
    assert not fake.calls
    assert not out.exists()
