"""Strokes in image files: palette, grey, overlay, RGB, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from saccade.data.palette import voc_palette
from saccade.errors import InputError
from saccade.scribbles.readers import read_strokes

LABELS = np.full((20, 30), 255, dtype=np.uint8)
LABELS[3, 2:9] = 0
LABELS[12, 5:20] = 1
LABELS[16, 5:20] = 2

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def palette_image(labels: np.ndarray) -> Image.Image:
    image = Image.fromarray(labels)
    image.putpalette(voc_palette().tobytes())
    return image


def overlay(*strokes: tuple[int, int, int]) -> np.ndarray:
    rgba = np.zeros((20, 30, 4), dtype=np.uint8)
    for row, color in enumerate(strokes):
        rgba[2 * row, 3:20] = (*color, 255)
    return rgba


def save(array: np.ndarray, path):
    Image.fromarray(array).save(path)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_indices_of_a_palette_image_are_classes(tmp_path, suffix):
    path = tmp_path / f"strokes.{suffix}"
    palette_image(LABELS).save(path)
    strokes = read_strokes(path, shape=(20, 30))
    np.testing.assert_array_equal(strokes.labels, LABELS)
    assert "255 = unlabelled, classes 0, 1, 2 (0 is a class" in strokes.assumption
    assert "\n" not in strokes.assumption


def test_the_example_of_the_documentation(tmp_path):
    palette_image(np.where(LABELS == 2, 255, LABELS).astype(np.uint8)).save(
        tmp_path / "strokes.png"
    )
    assert read_strokes(tmp_path / "strokes.png").assumption == (
        "strokes.png: palette PNG, 255 = unlabelled, classes 0, 1 (0 is a class, not 'unlabelled')"
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_values_of_a_gray_image_are_classes(tmp_path, dtype):
    suffix = "tif" if dtype == np.int32 else "png"
    path = save(LABELS.astype(dtype), tmp_path / f"s.{suffix}")
    np.testing.assert_array_equal(read_strokes(path).labels, LABELS)


def test_16_bit_images_have_classes_above_255(tmp_path):
    wide = np.where(LABELS == 2, 4000, LABELS.astype(np.uint16) * 1).astype(np.uint16)
    strokes = read_strokes(save(wide, tmp_path / "s.png"))
    assert strokes.classes == (0, 1, 4000)
    np.testing.assert_array_equal(strokes.labels, wide)


def test_0_is_unlabeled_as_ilastik_has_it(tmp_path):
    path = save(np.where(LABELS == 255, 0, LABELS + 1).astype(np.uint8), tmp_path / "s.png")
    strokes = read_strokes(path)
    assert strokes.classes == (1, 2, 3)
    assert "0 = unlabelled (it covers" in strokes.assumption
    given = read_strokes(path, unlabeled=0)
    np.testing.assert_array_equal(given.labels, strokes.labels)


def test_two_values_alone_are_one_class(tmp_path):
    path = save((LABELS != 255).astype(np.uint8), tmp_path / "s.png")
    strokes = read_strokes(path)
    assert strokes.classes == (1,)
    assert "0 = unlabelled (it covers" in strokes.assumption


def test_exif_rotation_of_the_strokes_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    palette_image(LABELS).save(tmp_path / "s.png", exif=exif)
    np.testing.assert_array_equal(
        read_strokes(tmp_path / "s.png", shape=(30, 20)).labels, np.rot90(LABELS, -1)
    )


def test_transposed_strokes_lie_on_their_side(tmp_path):
    with pytest.raises(InputError, match=r"30 x 20.*20 x 30.*on their side"):
        read_strokes(save(LABELS, tmp_path / "s.png"), shape=(30, 20))


def test_transparent_palette_entry_is_unlabeled(tmp_path):
    image = palette_image(np.where(LABELS == 255, 9, LABELS).astype(np.uint8))
    for transparency in (9, bytes([255] * 9 + [0]), bytes([255, 128, 254] + [255] * 6 + [0])):
        image.save(tmp_path / "s.png", transparency=transparency)
        strokes = read_strokes(tmp_path / "s.png")
        np.testing.assert_array_equal(strokes.labels, LABELS)
        assert "palette PNG, transparent 9 = unlabelled, classes 0, 1, 2" in strokes.assumption


def test_photographs_are_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 4), dtype=np.uint8)
    noise[..., 3] = 255
    noise[0, 0, 3] = 0
    for channels in (1, 3, 4):
        path = save(noise[..., :channels].squeeze(), tmp_path / "s.png")
        with pytest.raises(InputError, match="looks like a photograph"):
            read_strokes(path)


def test_other_modes_are_refused(tmp_path):
    Image.new("CMYK", (5, 5)).save(tmp_path / "s.tif")
    with pytest.raises(InputError, match="CMYK"):
        read_strokes(tmp_path / "s.tif")


def test_colors_of_an_overlay_are_numbered(tmp_path):
    rgba = overlay(RED, GREEN, BLUE)
    strokes = read_strokes(save(rgba, tmp_path / "s.png"), shape=(20, 30))
    assert strokes.names == {0: "#0000ff", 1: "#00ff00", 2: "#ff0000"}
    assert strokes.labels[4, 5] == 0
    assert strokes.labels[0, 5] == 2
    assert ((strokes.labels == 255) == (rgba[..., 3] == 0)).all()
    assert strokes.assumption == (
        "s.png: RGBA overlay, transparent = unlabelled, "
        "classes 0 = #0000ff, 1 = #00ff00, 2 = #ff0000"
    )


def test_names_are_given_to_the_colors_of_an_overlay(tmp_path):
    path = save(overlay(RED, BLUE), tmp_path / "s.png")
    assert read_strokes(path, names=["sea", "fire"]).names == {0: "sea", 1: "fire"}
    with pytest.raises(InputError, match="only 1 class names"):
        read_strokes(path, names=["sea"])


def test_overlay_in_voc_colors_keeps_the_indices(tmp_path):
    path = save(overlay(*voc_palette()[[0, 15, 7]].tolist()), tmp_path / "s.png")
    strokes = read_strokes(path)
    assert strokes.classes == (0, 7, 15)
    assert "RGBA overlay in VOC colours, transparent = unlabelled" in strokes.assumption


def test_soft_edges_are_no_classes(tmp_path):
    big = Image.new("RGBA", (240, 160))
    from PIL import ImageDraw

    pen = ImageDraw.Draw(big)
    pen.line([(20, 20), (220, 140)], fill=(*RED, 255), width=24)
    pen.line([(20, 140), (220, 20)], fill=(*GREEN, 255), width=24)  # crosses the red one
    soft = big.resize((60, 40), Image.Resampling.BILINEAR)
    soft.save(tmp_path / "s.png")
    rgba = np.asarray(soft)
    assert len(np.unique(rgba[rgba[..., 3] == 255][:, :3], axis=0)) > 2
    strokes = read_strokes(tmp_path / "s.png")
    assert strokes.names == {0: "#00ff00", 1: "#ff0000"}
    assert "blended colours" in strokes.assumption
    np.testing.assert_array_equal(strokes.labels == 1, (rgba == (*RED, 255)).all(-1))


def test_rare_color_off_the_line_is_a_class(tmp_path):
    rgba = np.zeros((100, 100, 4), dtype=np.uint8)
    rgba[:40], rgba[50:90] = (*RED, 255), (*GREEN, 255)
    rgba[95, :3] = (*BLUE, 255)
    assert len(read_strokes(save(rgba, tmp_path / "s.png")).classes) == 3


def test_half_transparent_strokes_are_refused(tmp_path):
    rgba = overlay(RED, GREEN)
    rgba[..., 3] //= 2
    with pytest.raises(InputError, match="100 % opacity"):
        read_strokes(save(rgba, tmp_path / "s.png"))


def test_one_color_is_one_class(tmp_path):
    strokes = read_strokes(save(overlay(RED), tmp_path / "s.png"))
    assert len(strokes.classes) == 1


def test_rgb_strokes_on_a_canvas_are_read(tmp_path):
    rgb = np.full((20, 30, 3), 250, dtype=np.uint8)
    rgb[3, 2:9], rgb[12, 5:20] = RED, BLUE
    strokes = read_strokes(save(rgb, tmp_path / "s.png"))
    assert strokes.names == {0: "#0000ff", 1: "#ff0000"}
    assert strokes.labels[3, 2] == 1
    assert strokes.labels[0, 0] == 255
    assert "RGB image, canvas #fafafa = unlabelled" in strokes.assumption


def test_opaque_rgba_is_read_as_rgb(tmp_path):
    rgba = np.full((20, 30, 4), 255, dtype=np.uint8)
    rgba[3, 2:9, :3], rgba[12, 5:20, :3] = RED, BLUE
    assert "canvas #ffffff" in read_strokes(save(rgba, tmp_path / "s.png")).assumption


def test_rgb_without_a_canvas_is_refused(tmp_path):
    rgb = np.zeros((21, 30, 3), dtype=np.uint8)
    rgb[:7], rgb[7:14], rgb[14:] = RED, GREEN, BLUE
    with pytest.raises(InputError, match="transparent layer"):
        read_strokes(save(rgb, tmp_path / "s.png"))


def test_a_palette_image_that_became_rgb_is_read(tmp_path):
    strokes = read_strokes(save(voc_palette()[LABELS], tmp_path / "s.png"))
    np.testing.assert_array_equal(strokes.labels, LABELS)
    assert "RGB image in VOC colours, 255 = unlabelled" in strokes.assumption


def test_blends_on_a_black_canvas_leave_the_canvas_unlabeled(tmp_path):
    rgb = np.zeros((60, 60, 3), dtype=np.uint8)
    rgb[10, :], rgb[20, :] = (128, 0, 0), (0, 128, 0)
    rgb[10, 59] = (64, 1, 0)
    strokes = read_strokes(save(rgb, tmp_path / "s.png"))
    assert strokes.names == {0: "#008000", 1: "#800000"}
    assert (strokes.labels[0] == 255).all()
    assert strokes.labels[10, 59] == 255
    assert "canvas #000000 = unlabelled (1 pixels of blended colours too)" in strokes.assumption


def test_a_gray_image_that_became_rgb_is_read(tmp_path):
    strokes = read_strokes(save(np.repeat(LABELS[..., None], 3, axis=2), tmp_path / "s.png"))
    np.testing.assert_array_equal(strokes.labels, LABELS)
    assert "grey values in RGB" in strokes.assumption


def test_size_of_an_overlay_is_checked(tmp_path):
    with pytest.raises(InputError, match="30 x 20"):
        read_strokes(save(overlay(RED, BLUE), tmp_path / "s.png"), shape=(21, 30))
