"""The suite of objects: its scores against a slow search, and a run on two small images."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.suites.instances import __main__ as suite
from benchmarks.suites.instances import measure
from saccade.errors import InputError


def slow_f1(found, truth):
    hits = 0
    for one in set(found[found > 0].tolist()):
        for other in set(truth[truth > 0].tolist()):
            both = ((found == one) & (truth == other)).sum()
            hits += both / ((found == one) | (truth == other)).sum() > 0.5
    total = len(set(found[found > 0].tolist())) + len(set(truth[truth > 0].tolist()))
    return 2 * hits / total if total else 1.0


@pytest.mark.parametrize("seed", range(5))
def test_f1_is_that_of_a_search(seed):
    rng = np.random.default_rng(seed)
    truth = np.kron(rng.integers(0, 4, (5, 6)), np.ones((3, 3), int))
    found = np.where(rng.random(truth.shape) < 0.2, rng.integers(0, 5, truth.shape), truth)
    assert measure.f1_of_objects(found, truth) == pytest.approx(slow_f1(found, truth))
    assert measure.f1_of_objects(truth, truth) == 1


def nuclei(stem="a"):
    y, x = np.mgrid[:60, :80]
    truth = np.zeros((60, 80), np.int32)
    for number, (cy, cx) in enumerate([(15, 15), (15, 31), (40, 55)], start=1):
        truth[((y - cy) ** 2 + (x - cx) ** 2 < 81) & (truth == 0)] = number
    image = np.repeat((30 + 150 * (truth > 0)).astype(np.uint8)[..., None], 3, -1)
    strokes = np.full(truth.shape, 255, np.int32)
    strokes[15, 10:20] = strokes[40, 50:60] = 1
    strokes[50, 5:40] = strokes[3, 50:75] = 0
    return measure.Nuclei(stem, image, strokes, truth)


def test_the_rivals_find_bright_and_dark_nuclei():
    sample = nuclei()
    dark = measure.Nuclei("b", 255 - sample.image, sample.strokes, sample.truth)
    for one in (sample, dark):
        for method in ("otsu", "random-forest"):
            mask, probability = measure.mask_of(method, one, 0)
            assert probability is None
            assert measure.measure(one, mask, None, "ours", 5)["mask"] > 0.7
    mask = measure.otsu_mask(sample)
    counts = [measure.objects_of(mask, None, parting, 5).max() for parting in measure.PARTINGS]
    assert counts == [2, 3, 3]
    with pytest.raises(InputError, match="method 'x': expected saccade:PRESET"):
        measure.mask_of("x", sample, 0)


def test_leading_means_above_every_rival():
    def row(method, f1, error, parting="ours"):
        return {"method": method, "parting": parting, "f1": f1, "count_error": error}

    assert measure.leads([row("saccade:fast", 0.9, 0.1), row("otsu", 0.8, 0.1)])
    assert not measure.leads([row("saccade:fast", 0.9, 0.1), row("otsu", 0.8, 0.05)])
    worse = row("saccade:fast", 0.7, 0.3, "connected")
    assert not measure.leads([worse, row("saccade:fast", 0.8, 0), row("otsu", 0.9, 1, "common")])


def test_a_run_prints_and_writes_every_kind(tmp_path, capsys):
    sample = nuclei()
    for kind in suite.KINDS:
        folder = tmp_path / "fields" / kind
        for name, array in (
            ("images", sample.image),
            ("scribbles", sample.strokes.astype(np.uint8)),
            ("instances", sample.truth.astype(np.uint16)),
        ):
            (folder / name).mkdir(parents=True)
            Image.fromarray(array).save(folder / name / "a.png")
    options = ["--methods", "random-forest,otsu", "--out", str(tmp_path / "out")]
    assert suite.main([str(tmp_path), *options]) in (0, 1)
    assert "nuclei-tissue" in capsys.readouterr().out
    (path,) = (tmp_path / "out").rglob("instances.json")
    written = json.loads(path.read_text())
    assert set(written["kinds"]) == set(suite.KINDS)
    assert len(written["kinds"]["nuclei-fluo"]) == 2 * len(measure.PARTINGS)
    assert suite.main([str(tmp_path / "none"), *options]) == 1
    assert "no images with scribbles/ there" in capsys.readouterr().err
