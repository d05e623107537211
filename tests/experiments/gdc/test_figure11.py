import json

import pytest

from saccade.experiments.engine.samples import shared_samples
from saccade.experiments.gdc import figure11
from saccade.experiments.gdc.figure11 import run_figure11
from saccade.experiments.gdc.image_tables import GDC

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")


@pytest.mark.slow
def test_figure11_measures_all_images_and_draws_the_first(root, tmp_path, monkeypatch):
    monkeypatch.setattr(figure11, "embed", lambda vectors, seed: vectors[:, :2])
    heard = []
    samples = shared_samples(root, ("thin",)).samples[:2]
    report = run_figure11(samples, tmp_path, seed=0, progress=lambda *a: heard.append(a))
    text, paths = report.text, report.files
    assert [path.name for path in paths] == ["gdc-figure11.png", "gdc-figure11.json"]
    assert text.startswith("2 images")
    assert "| spread" in text
    images = json.loads(paths[1].read_text())["images"]
    assert [(i["image"], i["branch"]) for i in images] == [
        (stem, branch) for stem in "ab" for branch in ("dilated 6", GDC)
    ]
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert heard[-1][0] == 2
