import json
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.batch import LocalProcesses
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.weak import stroke_masks
from saccade.weak.stroke_labeling import StrokeLabeling, load_model
from saccade.weak.stroke_masks import finished, label_all, plan, pseudo_mask
from tests.helpers import start_python, wait_for
from tests.weak.helpers import SPEC, photograph

SETTINGS = StrokeLabeling(device="cpu")


def opened(path):
    return np.asarray(Image.open(path))


def test_uncertain_pixels_are_ignored_and_strokes_stay():
    image, labels, strokes = photograph(np.random.default_rng(1))
    everything, chosen, remarks = pseudo_mask(image, strokes, replace(SETTINGS, confidence=0.0))
    assert remarks == ()
    assert (everything != 255).all()
    assert (everything == labels).mean() > 0.9
    mask, _, _ = pseudo_mask(image, strokes, replace(SETTINGS, confidence=0.99))
    left = mask != 255
    assert np.array_equal(mask[left], everything[left])
    assert np.array_equal(left, (chosen >= 0.99) | (strokes != 255))
    assert (mask[strokes != 255] == everything[strokes != 255]).all()
    assert (~left).sum() > 0


def test_strokes_of_one_class_give_a_provisional_mask(folders):
    job, *_ = jobs = plan(folders.pairs, folders.root / "out")
    drawn = opened(job.strokes)
    Image.fromarray(np.where(drawn == 1, drawn, 255).astype(np.uint8)).save(job.strokes)
    records = label_all(jobs, SPEC, SETTINGS).records
    assert set(np.unique(opened(job.mask))) <= {0, 1, 255}
    assert list(records[job].drawn) == [1]
    said = [any("provisional" in line for line in records[job].remarks) for job in jobs]
    assert said == [True] + [False] * (len(jobs) - 1)


def test_a_folder_is_labeled_and_not_again(folders, monkeypatch):
    jobs = plan(folders.pairs, folders.root / "out")
    reported = []
    first = label_all(jobs, SPEC, SETTINGS, progress=lambda n, name: reported.append((n, name)))
    assert list(first.records) == jobs
    assert reported[-1][0] == 4
    for job in jobs:
        mask, record = opened(job.mask), first.records[job]
        assert record.ignored == (mask == 255).sum()
        assert record.classes == {k: int((mask == k).sum()) for k in np.unique(mask[mask < 255])}
        assert record.drawn[1] == (opened(job.strokes) == 1).sum()
        truth = opened(folders.masks / job.mask.name)
        known = mask != 255
        assert (mask[known] == truth[known]).mean() > 0.95
    monkeypatch.setattr(stroke_masks, "pseudo_mask", lambda *_: pytest.fail("made again"))
    assert label_all(jobs, SPEC, SETTINGS).records == first.records


def test_what_changed_is_made_again(folders, monkeypatch):
    jobs = plan(folders.pairs, folders.root / "out")
    label_all(jobs, SPEC, SETTINGS)
    made = []
    true_one = stroke_masks.pseudo_mask
    monkeypatch.setattr(
        stroke_masks, "pseudo_mask", lambda *a: made.append(a[2].confidence) or true_one(*a)
    )
    later = time.time() + 5
    os.utime(jobs[2].strokes, (later, later))
    jobs[1].mask.unlink()
    jobs[0].record.write_text("{ damaged")
    label_all(jobs, SPEC, SETTINGS)
    assert made == [0.9] * 3
    os.utime(jobs[2].record, (later, later))
    label_all(jobs, SPEC, replace(SETTINGS, confidence=0.5))
    assert made[3:] == [0.5] * 4


def test_masks_of_xml_strokes_follow_the_order_of_the_classes(folders):
    line = "<polygon><tag>{}</tag>{}</polygon>"
    point = "<point><X>{}</X><Y>{}</Y></point>"
    size = "<size><height>60</height><width>80</width></size>"
    strokes = [("ground", 5, 3, 70), ("red", 8, 30, 30)]
    lines = [line.format(t, point.format(a, y) + point.format(b, y)) for t, a, y, b in strokes]
    (folders.strokes / "0.xml").write_text(f"<annotation>{size}{''.join(lines)}</annotation>")
    jobs = plan([(folders.images / "0.png", folders.strokes / "0.xml")], folders.root / "out")
    label_all(jobs, SPEC, SETTINGS)
    assert opened(jobs[0].mask)[[3, 30], [40, 15]].tolist() == [0, 1]
    label_all(jobs, replace(SPEC, names=("red", "ground", "green")), SETTINGS)
    assert opened(jobs[0].mask)[[3, 30], [40, 15]].tolist() == [1, 0]


def test_a_record_without_class_names_is_accepted(folders, monkeypatch):
    jobs = plan(folders.pairs[:1], folders.root / "out")
    label_all(jobs, SPEC, SETTINGS)
    content = json.loads(jobs[0].record.read_text())
    del content["settings"]["names"]
    jobs[0].record.write_text(json.dumps(content))
    monkeypatch.setattr(stroke_masks, "pseudo_mask", lambda *_: pytest.fail("made again"))
    assert label_all(jobs, SPEC, SETTINGS).records


@pytest.mark.slow
def test_processes_make_the_same_masks(folders):
    one = label_all(plan(folders.pairs, folders.root / "one"), SPEC, SETTINGS)
    two = label_all(
        plan(folders.pairs, folders.root / "two"), SPEC, SETTINGS, executor=LocalProcesses(2)
    )
    assert len(one.records) == len(two.records) == 4
    for job in one.records:
        images = [opened(folders.root / which / job.mask.name) for which in ("one", "two")]
        assert np.array_equal(*images)


def test_bad_files_are_named_and_the_others_done(folders):
    Image.fromarray(np.full((60, 80), 255, np.uint8)).save(folders.strokes / "0.png")
    strokes = opened(folders.strokes / "1.png").copy()
    strokes[0, 0] = 9
    Image.fromarray(strokes).save(folders.strokes / "1.png")
    Image.fromarray(strokes[:20]).save(folders.strokes / "2.png")
    outcome = label_all(plan(folders.pairs, folders.root / "out"), SPEC, SETTINGS)
    assert [job.image.stem for job in outcome.records] == ["3"]
    failed = {job.image.name: why for job, why in outcome.failed.items()}
    assert "1.png: label 9, but there are only 3 class names" in failed["1.png"]
    assert "2.png: " in failed["2.png"]
    assert "0.png: " in failed["0.png"]
    assert not (folders.root / "out/1.png").exists()


def test_a_full_disk_ends_the_batch(folders, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "out/0.png")

    monkeypatch.setattr(stroke_masks, "write_mask", full)
    with pytest.raises(OSError, match="No space left"):
        label_all(plan(folders.pairs, folders.root / "out"), SPEC, SETTINGS)
    assert not list((folders.root / "out/records").iterdir())


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(folders):
    for number in range(4, 400):  # enough to be caught at it
        for folder in (folders.images, folders.strokes):
            (folder / f"{number}.png").write_bytes((folder / "0.png").read_bytes())
    places = (folders.images, folders.strokes, "-o", folders.root / "out")
    options = ("--classes", folders.root / "classes.txt", "--jobs", 2)
    process = start_python("-m", "saccade.cli", "pseudo-label", *places, *options)
    records = folders.root / "out/records"
    # Without those that are being written, whose names begin with a dot.
    wait_for(lambda: len(list(records.glob("[!.]*.json"))) >= 3, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "the same command goes on" in errors
    done = list(records.glob("*.json"))
    assert 3 <= len(done) < 400
    assert not list((folders.root / "out").rglob(".*.part*"))
    for path in done:
        mask = opened(folders.root / "out" / f"{path.stem}.png")
        assert json.loads(path.read_text())["ignored"] == (mask == 255).sum()


def test_a_confidence_out_of_range_is_refused():
    with pytest.raises(InputError, match="confidence is 1"):
        StrokeLabeling(confidence=1.0)


def test_a_model_makes_the_masks_and_another_makes_them_anew(folders, tmp_path):
    pairs = folders.pairs
    file = tmp_path / "kind.saccade"
    model = saccade.fit([pairs[0][0]], [pairs[0][1]])
    model.save(file)
    jobs, settings = plan(pairs, folders.root / "out"), replace(SETTINGS, model=file, confidence=0)
    first = label_all(jobs, SPEC, settings).records
    for job in jobs:
        expected = model.predict(job.image, job.strokes).labels
        assert np.array_equal(opened(job.mask), expected)
    assert list(finished(jobs, SPEC, settings)) == list(first) == jobs
    model.update([pairs[1][0]], [pairs[1][1]]).save(file)
    assert not finished(jobs, SPEC, settings)
    with pytest.raises(InputError, match="has class 2, the classes are 0 to 1"):
        load_model(file, LabelSpec(("ground", "red")), "cpu")
