"""The file of a model: what is in it, and what happens to files that are none."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import save_file

import saccade
from saccade.errors import InputError
from saccade.fitted import file, stored
from saccade.interactive.presets import preset_named
from tests.fitted.test_model import strokes
from tests.interactive.test_shared import picture

PRESET = replace(preset_named("fast"), fusion=False)


@pytest.fixture(scope="module")
def pictures():
    return [picture(seed, (150, 200)) for seed in range(4)]


@pytest.fixture(scope="module", params=["fast", "small", "tiny"])
def model(request, pictures):
    """With all its steps; with images that are larger than what is worked on; with tiny ones."""
    preset = replace(PRESET, max_pixels=9000) if request.param == "small" else "fast"
    step = 4 if request.param == "tiny" else 1
    images = [rgb[::step, ::step] for rgb, _ in pictures]
    drawn = [strokes(truth[::step, ::step]) for _, truth in pictures[:2]] + [None, None]
    return saccade.fit(images, drawn, preset=preset)


def content(path):
    with safe_open(path, "pt") as found:
        tensors = {name: found.get_tensor(name) for name in found.keys()}  # noqa: SIM118
        return json.loads(found.metadata()["saccade_model"]), tensors


def test_a_model_from_a_file_gives_the_same_masks(model, pictures, tmp_path):
    model.save(tmp_path / "cells.saccade")
    again = saccade.load(tmp_path / "cells.saccade")
    for rgb, _ in pictures[2:]:
        one, other = (m.predict(rgb).probabilities for m in (model, again))
        assert np.array_equal(one, other)
    assert (again.classes, again.seed, again.preset) == (model.classes, 0, model.preset)


def test_it_can_be_fitted_to_more(model, pictures, tmp_path):
    rgb, truth = pictures[2]
    model.save(tmp_path / "cells.saccade")
    again = saccade.load(tmp_path / "cells.saccade")
    own = model.predict(rgb, strokes=strokes(truth)).probabilities
    assert np.array_equal(again.predict(rgb, strokes=strokes(truth)).probabilities, own)
    again.update([rgb], [strokes(truth)])
    assert len(again.stroked) == 3


def test_another_process_on_more_threads_gives_the_same_masks(model, pictures, tmp_path):
    model.save(tmp_path / "cells.saccade")
    np.save(tmp_path / "image.npy", pictures[3][0])
    code = (
        "import sys, numpy, torch, saccade\n"
        "torch.set_num_threads(2)\n"
        "model = saccade.load(sys.argv[1])\n"
        "numpy.save(sys.argv[3], model.predict(numpy.load(sys.argv[2])).probabilities)\n"
    )
    names = [str(tmp_path / name) for name in ("cells.saccade", "image.npy", "found.npy")]
    subprocess.run([sys.executable, "-c", code, *names], check=True)
    found = np.load(tmp_path / "found.npy")
    assert np.array_equal(found, model.predict(pictures[3][0]).probabilities)


def test_the_header_says_what_it_is(model, tmp_path):
    model.save(tmp_path / "cells.saccade")
    header, _ = content(tmp_path / "cells.saccade")
    assert header["format"] == 1
    assert header["classes"] == [0, 1]
    assert [len(digest) for _, digest, _ in header["images"]] == [64, 64]
    assert set(header["held_out"]["of_class"]) == {"0", "1"}


def test_other_weights_fit_it_again_and_say_so(model, pictures, tmp_path, monkeypatch):
    model.save(tmp_path / "cells.saccade")
    monkeypatch.setattr(file, "weights_digest", lambda source: "0" * 64)
    again = saccade.load(tmp_path / "cells.saccade")
    assert "fitted again" in again.remarks[-1]
    one, other = (m.predict(pictures[3][0]).labels for m in (model, again))
    assert np.array_equal(one, other)  # the weights are in fact the same


def test_a_file_is_fitted_again_only_when_it_must(model, pictures, tmp_path, monkeypatch):
    model.save(tmp_path / "cells.saccade")
    made = []
    real = stored.StoredImage.prepared
    monkeypatch.setattr(
        stored.StoredImage, "prepared", lambda *a, **o: made.append(1) or real(*a, **o)
    )
    again = saccade.load(tmp_path / "cells.saccade")
    again.predict(pictures[3][0])
    assert again.held_out() == model.held_out()
    assert made == []
    again.update([pictures[2][0]], [strokes(pictures[2][1])])
    assert made == [1, 1]


def test_own_strokes_are_kept_after_loading(model, pictures, tmp_path):
    model.save(tmp_path / "cells.saccade")
    again = saccade.load(tmp_path / "cells.saccade")
    for rgb, truth in pictures[:2]:
        step = 4 if rgb.shape[0] // 4 == again.stroked[0].ready.image.size[0] else 1
        small, drawn = rgb[::step, ::step], strokes(truth[::step, ::step])
        found = again.predict(small)
        assert found.labels.shape == small.shape[:2]
        assert (found.labels == drawn)[drawn != 255].mean() > 0.9
        for place in again.suggest(small, 3):
            assert 0 <= place.row < small.shape[0]


def test_what_was_assumed_is_forgotten_after_loading_too(pictures, tmp_path):
    (rgb, truth), (other, there) = pictures[:2]
    model = saccade.fit([rgb], [strokes(truth, (1,))], preset=PRESET)
    model.save(tmp_path / "cells.saccade")
    again = saccade.load(tmp_path / "cells.saccade")
    assert again.remarks == model.remarks
    assert again.provisional
    for one in (model, again):
        one.update([other], [strokes(there, (0,))])
        labels = one.stroked[0].ready.strokes.labels_half
        assert not (labels == 0).any()  # nothing that was assumed stays
        assert one.remarks == ()


def damaged(path, change):
    header, tensors = content(path)
    change(header, tensors)
    save_file(tensors, path, {"saccade_model": json.dumps(header)})


DAMAGES = {
    "a later format": (lambda h, t: h.update(format=4), "in format 4, this release reads"),
    "no format": (lambda h, t: h.pop("format"), "header is damaged"),
    "one class": (lambda h, t: h.update(classes=[1]), "header is damaged"),
    "a setting of later": (lambda h, t: h["preset"].update(more=1), "header is damaged"),
    "no weights": (lambda h, t: t.pop("net.out"), "is damaged"),
    "no picture": (lambda h, t: t.pop("image.0.rgb"), "is damaged"),
    "half a picture": (lambda h, t: t.update({"image.0.rgb": t["image.0.rgb"][:99]}), "is damaged"),
    "more images": (lambda h, t: h["images"].append(["x", "0" * 64, []]), "is damaged"),
    "other shapes": (lambda h, t: t.update({"net.out": t["net.out"][:, :3]}), "is damaged"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_one_clear_line(name, pictures, tmp_path):
    change, message = DAMAGES[name]
    path = tmp_path / "cells.saccade"
    images = [rgb for rgb, _ in pictures[:1]]
    saccade.fit(images, [strokes(pictures[0][1])], preset=PRESET).save(path)
    damaged(path, change)
    with pytest.raises(InputError, match=message) as raised:
        saccade.load(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("bytes_there", [b"", b"PK\x03\x04 a zip", b"\x08\0\0\0\0\0\0\0{}      "])
def test_another_file_is_refused(bytes_there, tmp_path):
    path = tmp_path / "cells.saccade"
    path.write_bytes(bytes_there)
    with pytest.raises(InputError, match=r"cells\.saccade: "):
        saccade.load(path)


def test_weights_alone_are_no_model(tmp_path, pictures):
    import torch

    save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="holds tensors but no model"):
        saccade.load(tmp_path / "a.safetensors")


def test_a_missing_folder_is_said(model, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        model.save(tmp_path / "none" / "cells.saccade")
