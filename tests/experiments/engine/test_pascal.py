import numpy as np
import pytest
from scipy.io import savemat

from saccade.data.known import CONTEXT_CLASSES
from saccade.errors import InputError
from saccade.experiments.engine.load_samples import load_sample
from saccade.experiments.engine.samples import context_samples, voc_samples
from tests.experiments.conftest import SHAPE, labels, save

LINE = (
    "<polygon><tag>{}</tag><point><X>{}</X><Y>5</Y></point>"
    "<point><X>{}</X><Y>5</Y></point></polygon>"
)


def scribbles(path, first, second):
    height, width = SHAPE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"<annotation><size><height>{height}</height><width>{width}</width></size>"
        f"{LINE.format(first, 1, 5)}{LINE.format(second, 11, 14)}</annotation>"
    )


def photo(path):
    save(path, np.full((*SHAPE, 3), 90))


@pytest.fixture
def voc(tmp_path):
    base = tmp_path / "VOCdevkit/VOC2012"
    truth, _ = labels()
    for stem in ("2007_1", "2007_2"):
        photo(base / f"JPEGImages/{stem}.jpg")
        save(base / f"SegmentationClass/{stem}.png", np.where(truth == 1, 15, truth))
    (base / "ImageSets/Segmentation").mkdir(parents=True)
    (base / "ImageSets/Segmentation/val.txt").write_text("2007_1\n2007_2\n")
    scribbles(tmp_path / "scribble_annotation/pascal_2012/2007_2.xml", "background", "person")
    return tmp_path


@pytest.fixture
def context(tmp_path):
    base = tmp_path / "VOC2010"
    photo(base / "JPEGImages/x.jpg")
    truth = np.zeros(SHAPE)
    truth[:, :6] = 1 + CONTEXT_CLASSES.index("aeroplane")
    truth[:, 10:] = 1 + CONTEXT_CLASSES.index("wood")
    save(base / "SegmentationClassContext/x.png", truth)
    (base / "ImageSets/SegmentationContext").mkdir(parents=True)
    (base / "ImageSets/SegmentationContext/val.txt").write_text("x\n")
    scribbles(tmp_path / "pascal_context/x.xml", "plane", "wood")
    return tmp_path


@pytest.mark.parametrize("below", ["", "VOCdevkit", "VOCdevkit/VOC2012"])
def test_voc_is_read_from_each_folder(voc, below):
    plan = voc_samples(voc / below, voc)
    assert [s.stem for s in plan.samples] == ["2007_2"]
    assert plan.remarks == ("voc: 1 of 2 images have no strokes",)
    pair = load_sample(plan.samples[0])
    assert set(np.unique(pair.truth)) == set(np.unique(pair.strokes)) == {0, 15, 255}


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("VOCdevkit/VOC2012/JPEGImages/2007_1.jpg", "1 files are missing, 2007_1 for one"),
        ("VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt", r"val\.txt: no such file"),
        ("scribble_annotation/pascal_2012/2007_2.xml", "no strokes for any of the 2 images"),
    ],
)
def test_missing_parts_of_voc_are_named(voc, remove, message):
    (voc / remove).unlink()
    with pytest.raises(InputError, match=message):
        voc_samples(voc, voc)


def test_missing_folders_are_named(tmp_path):
    with pytest.raises(InputError, match="no folder JPEGImages there, which VOC 2012 must have"):
        voc_samples(tmp_path, tmp_path)


def test_context_has_59_different_classes():
    assert len(CONTEXT_CLASSES) == len(set(CONTEXT_CLASSES)) == 59
    assert list(CONTEXT_CLASSES) == sorted(CONTEXT_CLASSES)


def check_context(pair):
    first, last = CONTEXT_CLASSES.index("aeroplane"), CONTEXT_CLASSES.index("wood")
    assert set(np.unique(pair.truth)) == set(np.unique(pair.strokes)) == {first, last, 255}
    assert pair.truth[0, 0] == pair.strokes[5, 3] == first
    assert pair.truth[0, 15] == pair.strokes[5, 12] == last
    assert (pair.truth[:, 6:10] == 255).all()  # outside of the 59 classes


def test_context_is_read_from_png(context):
    check_context(load_sample(context_samples(context, context).samples[0]))


def test_context_in_mat_files_is_matched_by_name(context):
    base = context / "VOC2010"
    (base / "SegmentationClassContext/x.png").unlink()
    (base / "SegmentationClassContext").rmdir()
    ids = np.full(SHAPE, 3, np.uint16)
    ids[:, :6], ids[:, 10:] = 458, 1
    (base / "context").mkdir()
    savemat(base / "context/x.mat", {"LabelMap": ids})
    with pytest.raises(InputError, match=r"no labels\.txt"):
        context_samples(context, context)
    others = [name for name in CONTEXT_CLASSES if name not in ("wood", "aeroplane")]
    lines = ["1: wood", "3: accordion", "458: aeroplane"]
    lines += [f"{value}: {name}" for value, name in enumerate(others, 10)]
    (base / "labels.txt").write_text("\n".join(lines))
    check_context(load_sample(context_samples(context, context).samples[0]))
    savemat(base / "context/x.mat", {"other": ids})
    with pytest.raises(InputError, match="LabelMap"):
        load_sample(context_samples(context, context).samples[0])


def test_context_without_ground_truth_is_refused(context):
    (context / "VOC2010/SegmentationClassContext").rename(context / "elsewhere")
    with pytest.raises(InputError, match="expected SegmentationClassContext"):
        context_samples(context, context)
