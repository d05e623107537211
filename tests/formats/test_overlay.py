"""Overlays: what is tinted, where lines are, that strokes are on top, and colour maps."""

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from saccade.data.palette import pack_rgb, voc_palette
from saccade.errors import InputError
from saccade.formats.overlay import (
    render_overlay,
    render_uncertainty,
    stroke_preview,
    write_picture,
)
from saccade.formats.palette import display_palette

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
LABELS = np.zeros((20, 30), dtype=np.int32)
LABELS[5:15, 8:20] = 1
STROKES = np.full((20, 30), 255)
STROKES[10, 10:14] = 1
STROKES[2, 3:9] = 0


def test_background_of_two_classes_is_untouched():
    before = IMAGE.copy()
    overlay = render_overlay(IMAGE, LABELS)
    assert overlay.dtype == np.uint8
    np.testing.assert_array_equal(overlay[LABELS == 0], IMAGE[LABELS == 0])
    np.testing.assert_array_equal(IMAGE, before)


def test_tint_inside_and_contour_on_the_border_of_the_object():
    overlay = render_overlay(IMAGE, LABELS, alpha=0.5)
    inside = LABELS[6:14, 9:19] == 1
    assert inside.all()
    expected = (IMAGE[6:14, 9:19].astype(float) + display_palette(2)[1]) / 2
    assert np.abs(overlay[6:14, 9:19] - expected).max() <= 1
    border = overlay[5, 8:20]
    assert (border == border[0]).all()
    assert border[0].mean() > display_palette(2)[1].mean()
    assert (overlay[14, 8:20] == border[0]).all()
    assert (overlay[5:15, 8] == border[0]).all()
    assert (overlay[5:15, 19] == border[0]).all()


def test_alpha_goes_from_the_image_to_the_color():
    clear, solid = render_overlay(IMAGE, LABELS, alpha=0), render_overlay(IMAGE, LABELS, alpha=1)
    np.testing.assert_array_equal(clear[6:14, 9:19], IMAGE[6:14, 9:19])
    assert (solid[6:14, 9:19] == display_palette(2)[1]).all()


@pytest.mark.parametrize("labels", [LABELS + 1, np.where(LABELS == 0, LABELS, 2), LABELS * 0])
def test_class_0_alone_is_not_tinted(labels):
    overlay = render_overlay(IMAGE, labels)
    changed = (overlay != IMAGE).any(axis=2)
    if (labels == 0).any():
        assert not changed[labels == 0].any()
    assert changed[labels > 0].mean() > 0.99 if (labels > 0).any() else not changed.any()


def test_three_classes_tint_class_0_too():
    labels = LABELS.copy()
    labels[0, 0] = 2
    changed = (render_overlay(IMAGE, labels) != IMAGE).any(axis=2)
    assert changed[labels == 0].mean() > 0.9


def test_strokes_are_on_top_with_an_outline():
    overlay = render_overlay(IMAGE, LABELS, strokes=STROKES)
    assert (overlay[STROKES == 1] == display_palette(2)[1]).all()
    assert (overlay[STROKES == 0] == display_palette(1)[0]).all()
    for y, x in ((9, 11), (11, 11), (10, 9), (10, 14), (1, 5), (3, 5)):
        assert overlay[y, x].tolist() == [255, 255, 255]
    assert overlay[8, 11].tolist() != [255, 255, 255]


def test_any_value_can_mean_unlabeled():
    strokes = np.where(STROKES == 255, 65535, STROKES)
    np.testing.assert_array_equal(
        render_overlay(IMAGE, LABELS, strokes=strokes, unlabeled=65535),
        render_overlay(IMAGE, LABELS, strokes=STROKES),
    )
    nothing = np.full((20, 30), 255)
    np.testing.assert_array_equal(
        render_overlay(IMAGE, LABELS, strokes=nothing), render_overlay(IMAGE, LABELS)
    )


def test_lines_grow_with_the_image():
    labels = np.zeros((10, 2800), dtype=np.int32)
    labels[:, 1400:] = 1
    image = np.zeros((10, 2800, 3), dtype=np.uint8)
    row = render_overlay(image, labels)[5, 1400:1410]
    assert (row == row[0]).all(axis=1).tolist() == [True] * 4 + [False] * 6


def test_the_stroke_preview_shows_strokes_on_the_image():
    preview = stroke_preview(IMAGE, STROKES)
    assert (preview[STROKES == 1] == display_palette(2)[1]).all()
    assert preview[10, 9].tolist() == [255, 255, 255]
    far = preview[17:, :].astype(float)
    assert far.std() < IMAGE[17:, :].std() / 2
    assert stroke_preview(np.full((20, 30), 255, np.uint8), STROKES).max() == 255


@pytest.mark.parametrize("call", [render_overlay, stroke_preview])
def test_arrays_of_other_sizes_are_refused(call):
    with pytest.raises(InputError, match=r"30 x 19.*image is 30 x 20"):
        call(IMAGE, STROKES[:19])


def test_what_is_no_overlay_is_refused():
    with pytest.raises(InputError, match="strokes: 30 x 19"):
        render_overlay(IMAGE, LABELS, strokes=STROKES[:19])
    with pytest.raises(InputError, match="alpha"):
        render_overlay(IMAGE, LABELS, alpha=1.5)
    with pytest.raises(InputError, match="alpha"):
        render_overlay(IMAGE, LABELS, alpha=float("nan"))
    with pytest.raises(InputError, match="labels: values -1"):
        render_overlay(IMAGE, LABELS - 1)


def test_uncertainty_ends_of_the_color_map():
    colors = render_uncertainty(np.array([[0.0, 0.5, 1.0]]))
    magma = [[0, 0, 4], [182, 54, 121], [252, 253, 191]]
    assert np.abs(colors[0].astype(int) - magma).max() <= 2


def test_uncertainty_rises_evenly_in_lightness():
    ramp = render_uncertainty(np.linspace(0, 1, 256, dtype=np.float32)[None])
    lightness = rgb2lab(ramp)[0, :, 0]
    smooth = np.diff(lightness[::8])
    assert (smooth > 0).all()
    assert smooth.max() < 3 * smooth.min()


@pytest.mark.parametrize(
    "values",
    [np.full((2, 2), np.nan), np.array([[1.5]]), np.array([[-0.1]]), np.zeros(3), np.zeros((0, 2))],
)
def test_what_is_no_uncertainty_is_refused(values):
    with pytest.raises(InputError, match="uncertainty"):
        render_uncertainty(values)


def test_display_colors_are_distinct_and_keep_the_hue():
    colors = display_palette(21)
    assert len(np.unique(pack_rgb(colors))) == 21
    assert ((colors == 0) == (voc_palette(21) == 0)).all()
    assert (colors >= voc_palette(21)).all()


def test_a_picture_is_written_losslessly(tmp_path):
    write_picture(tmp_path / "a.png", IMAGE)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), IMAGE)
    with pytest.raises(InputError, match="no folder"):
        write_picture(tmp_path / "gone" / "a.png", IMAGE)
