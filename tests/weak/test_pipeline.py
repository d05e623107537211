import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from saccade.batch import Outcome
from saccade.data.sets import pair_up
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.models.segmentation import SegmentationConfig
from saccade.training import loop
from saccade.training.config import DataConfig, RunConfig, TrainConfig
from saccade.training.optim_config import OptimConfig
from saccade.weak import pipeline
from saccade.weak.pipeline import Pipeline, label_and_train, pseudo_sets
from saccade.weak.stroke_labeling import StrokeLabeling
from saccade.weak.stroke_masks import label_all, plan
from tests.weak.helpers import SPEC

pytestmark = pytest.mark.filterwarnings("ignore")

TRAINING = TrainConfig(
    DataConfig("folder", "", "", ""),
    SegmentationConfig(2, pyramid="none", width=8),
    optim=OptimConfig(epochs=1, batch=2, lr=0.01),
    augmentation=Augmentation(crop=(32, 40)),
    run=RunConfig(device="cpu"),
)


@pytest.fixture
def work(folders):
    return Pipeline("made up", folders.pairs, SPEC, StrokeLabeling(device="cpu"), TRAINING)


def test_strokes_to_network_and_report(work, folders):
    reported = []
    done = label_and_train(
        work, folders.root / "out", lambda stage, *rest: reported.append((stage, *rest))
    )
    assert list(dict.fromkeys(stage for stage, *_ in reported)) == ["label", "train"]
    assert not done.interruption
    assert done.scores.images == 1  # held out with its pseudo mask
    page = done.report.read_text()
    assert "held out, not truth" in page
    assert f"mIoU <strong>{100 * done.scores.miou:.2f} %</strong>" in page
    assert page.count("data:image/jpeg;base64,") == 5  # four masks, one prediction
    assert 'src="http' not in page
    for name in SPEC.names:
        assert re.search(rf"</span>{name}</td>", page)


def test_evaluation_on_masks_that_people_drew(work, folders):
    val = pair_up("validation", folders.images, folders.masks, SPEC)
    done = label_and_train(replace(work, val=val), folders.root / "out")
    assert done.scores.images == 4
    assert "against ground truth" in done.report.read_text()


def test_a_second_call_does_nothing_again(work, folders, monkeypatch):
    first = label_and_train(work, folders.root / "out")
    monkeypatch.setattr(
        "saccade.weak.stroke_masks.pseudo_mask", lambda *_: pytest.fail("labelled again")
    )
    monkeypatch.setattr(loop, "_step", lambda *_: pytest.fail("trained again"))
    second = label_and_train(work, folders.root / "out")
    assert np.array_equal(first.scores.matrix, second.scores.matrix)


def test_an_interruption_while_labeling_is_reported_and_resumed(work, folders, monkeypatch):
    true_one = pipeline.label_all

    def stopped(jobs, *rest, **more):
        outcome = true_one(jobs[:2], *rest, **more)
        outcome.interrupted = True
        return outcome

    monkeypatch.setattr(pipeline, "label_all", stopped)
    done = label_and_train(work, folders.root / "out")
    assert done.interruption.startswith("interrupted: 2 of 2 done")
    assert done.scores is None
    assert "<td>images labelled</td><td>2</td>" in done.report.read_text()
    assert not (folders.root / "out/run").exists()
    monkeypatch.setattr(pipeline, "label_all", true_one)
    assert label_and_train(work, folders.root / "out").scores is not None


def test_a_bad_image_stops_before_training_or_is_left_out(work, folders):
    Image.fromarray(np.full((60, 80), 255, np.uint8)).save(folders.strokes / "2.png")
    with pytest.raises(InputError, match=r"1 of 4 images were not labelled, 2\.png for one"):
        label_and_train(work, folders.root / "out")
    page = (folders.root / "out/report.html").read_text()
    assert "Not labelled" in page
    assert "2.png" in page
    assert not (folders.root / "out/run").exists()
    done = label_and_train(replace(work, skip_failed=True), folders.root / "out")
    assert done.scores is not None


def test_every_tenth_image_is_held_out(work, folders):
    jobs = plan(folders.pairs, folders.root / "out")
    outcome = label_all(jobs[:1], SPEC, work.labeling)
    with pytest.raises(InputError, match="1 labelled images, a network needs more"):
        pseudo_sets(work, jobs, outcome)
    record = outcome.records[jobs[0]]
    many = [
        replace(jobs[0], image=folders.images / f"{k}.png", mask=folders.root / f"out/{k}.png")
        for k in range(30)
    ]
    outcome = Outcome(many, {job: replace(record, name=job.image.stem) for job in many})
    training, val = pseudo_sets(work, many, outcome)
    assert [e.name for e in val.examples] == ["5", "15", "25"]
    assert len(training.examples) == 27
    assert all(e.weak for e in training.examples + val.examples)


def trained_again(work, folder, monkeypatch, caught):
    """Whether a second call trains; the notes of it go to `caught`."""
    steps = []
    true_step = loop._step
    monkeypatch.setattr(loop, "_step", lambda *a: steps.append(1) or true_step(*a))
    label_and_train(work, folder, note=caught.append)
    monkeypatch.setattr(loop, "_step", true_step)
    return bool(steps)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["confidence", "image", "classes"])
def test_a_network_of_other_labels_is_moved_aside(work, folders, monkeypatch, change):
    out = folders.root / "out"
    if change == "image":
        label_and_train(replace(work, pairs=work.pairs[:3]), out)
    else:
        label_and_train(work, out)
    before = (out / "run/last.safetensors").read_bytes()
    if change == "confidence":
        work = replace(work, labeling=replace(work.labeling, confidence=0.999))
    elif change == "classes":
        work = replace(work, spec=replace(SPEC, names=("ground", "green", "red")))
    caught = []
    assert trained_again(work, out, monkeypatch, caught)
    assert any("run was trained: it is now run-1, and a new network" in line for line in caught)
    assert (out / "run-1/last.safetensors").read_bytes() == before
    assert (out / "run/last.safetensors").read_bytes() != before
    assert "it is now run-1" in (out / "report.html").read_text()
    assert not trained_again(work, out, monkeypatch, caught)


def test_a_run_without_recorded_labels_is_continued(work, folders, monkeypatch):
    label_and_train(work, folders.root / "out")
    (folders.root / "out/run/labels.json").unlink()
    assert not trained_again(work, folders.root / "out", monkeypatch, [])
    assert (folders.root / "out/run/labels.json").is_file()


def spoiled_mask(work, folders):
    mask = np.asarray(Image.open(folders.masks / "2.png")).copy()
    mask[0, 0] = 9
    Image.fromarray(mask).save(folders.masks / "2.png")
    return replace(work, val=pair_up("validation", folders.images, folders.masks, SPEC))


def spoiled_strokes(work, folders):
    strokes = np.asarray(Image.open(folders.strokes / "3.png")).copy()
    strokes[0, 0] = 9
    Image.fromarray(strokes).save(folders.strokes / "3.png")
    return work


def spoiled_image(work, folders):
    path = folders.images / "3.png"
    path.write_bytes(path.read_bytes()[:200])
    return work


def without_weights(work, folders):
    return replace(work, training=replace(TRAINING, weights=str(folders.root / "none.pth")))


def without_cuda(work, folders):
    return replace(work, training=replace(TRAINING, run=RunConfig(device="cuda")))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoiled_mask, r"2\.png: value 9 at 1 pixels belongs to no class"),
        (spoiled_strokes, r"1 of 4 images were not labelled, 3\.png .* label 9"),
        (spoiled_image, r"1 of 4 images were not labelled, 3\.png .* damaged or truncated"),
        (without_weights, r"none\.pth: no such file"),
        (without_cuda, "no CUDA device"),
    ],
)
def test_what_would_fail_later_fails_before_the_first_mask(
    work, folders, monkeypatch, spoil, message
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(
        "saccade.weak.stroke_masks.pseudo_mask", lambda *_: pytest.fail("labelled first")
    )
    with pytest.raises(InputError, match=message):
        label_and_train(spoil(work, folders), folders.root / "out")
    assert not (folders.root / "out/masks").exists()


def test_masks_to_evaluate_on_are_never_replaced(work, folders):
    val = pair_up("validation", folders.images, folders.masks, SPEC)
    with pytest.raises(InputError, match="is an input and would be replaced"):
        label_and_train(replace(work, val=val), folders.root)


def test_remarks_are_in_the_report(work, folders):
    spec = replace(SPEC, names=(*SPEC.names, "<blue>"))
    noted = []
    done = label_and_train(
        replace(work, spec=spec, remarks=("strokes without an image: 9.png",)),
        folders.root / "out",
        note=noted.append,
    )
    page = done.report.read_text()
    assert noted == ["no training mask has the class <blue>; the network cannot learn it"]
    assert "<h2>Remarks</h2><ul><li>strokes without an image: 9.png</li>" in page
    assert "no training mask has the class &lt;blue&gt;" in page


def test_a_run_from_before_validation_was_recorded_is_continued(work, folders, monkeypatch):
    label_and_train(work, folders.root / "out")
    kept = folders.root / "out/run/labels.json"
    known = json.loads(kept.read_text())
    del known["validation"]
    kept.write_text(json.dumps(known))
    assert not trained_again(work, folders.root / "out", monkeypatch, [])
