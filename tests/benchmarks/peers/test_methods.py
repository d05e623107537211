from dataclasses import replace

import numpy as np
import pytest

from benchmarks.peers import methods
from saccade.errors import InputError
from saccade.interactive.presets import preset_named


def test_saccade_spec_reaches_segment(monkeypatch, picture):
    saccade = pytest.importorskip("saccade")
    image, strokes, _ = picture
    seen = {}

    class Result:
        labels = strokes

    def segment(image, strokes, **options):
        seen.update(options)
        return Result

    monkeypatch.setattr(saccade, "segment", segment, raising=False)
    run = methods.resolve("saccade:best").run
    np.testing.assert_array_equal(run(image, strokes, 7), strokes)
    assert seen == {"preset": preset_named("best"), "seed": 7, "device": "cpu"}


def test_variants_change_one_thing_each(monkeypatch, picture):
    saccade = pytest.importorskip("saccade")
    image, strokes, _ = picture
    seen = []

    class Result:
        labels = strokes

    def segment(image, strokes, *, preset, **options):
        seen.append(preset)
        return Result

    monkeypatch.setattr(saccade, "segment", segment, raising=False)
    for spec in ("paper+dilated6", "paper+random", "paper+adam", "fast+norefine", "fast+pixels9"):
        methods.resolve(f"saccade:{spec}").run(image, strokes, 0)
    paper, fast = preset_named("paper"), preset_named("fast")
    assert seen[0] == replace(paper, network=replace(paper.network, branch="dilated", dilation=6))
    assert seen[1] == replace(paper, network=replace(paper.network, features="random"))
    assert seen[2] == replace(paper, fit=replace(paper.fit, optimizer="adam"))
    assert seen[3] == replace(fast, refine=None)
    assert seen[4] == replace(fast, max_pixels=9)


def test_unknown_variant_is_refused():
    with pytest.raises(InputError, match="'gd' is unknown"):
        methods.resolve("saccade:paper+gd")
