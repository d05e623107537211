import csv
import json
import pickle
from functools import partial

import numpy as np
import pytest
import torch

from saccade.errors import InputError
from saccade.experiments.engine.samples import shared_samples
from saccade.experiments.gdc.image_tables import GDC, TABLE1
from saccade.experiments.gdc.measure import (
    _make_worker,
    count_tasks,
    measure,
    plan_tasks,
    run_table,
)
from saccade.models.weights import load_head
from tests.experiments.conftest import SHAPE, save


def ignore(done, text):
    pass


def run(root, out, name="gdc-table1", sets=("thin",), seeds=(0,), progress=ignore, jobs=1, **more):
    out.mkdir(exist_ok=True)
    samples = shared_samples(root, sets)
    return run_table(name, samples, out, seeds=seeds, jobs=jobs, progress=progress, **more)


def test_tasks_take_the_sets_in_turns(root):
    samples = shared_samples(root, ("thin", "camvid")).samples
    tasks = plan_tasks(samples, ("x", "y"), (0,))
    assert [t.sample.stem for t in tasks[::2]] == ["a", "f1", "b", "f2", "c"]
    assert [t.branch for t in tasks[:2]] == ["x", "y"]
    assert count_tasks("gdc-table1", samples, (0, 1)) == 5 * 6 * 2


def test_scores_differences_and_verdicts(root, tmp_path, fake_segment):
    done = run(root, tmp_path / "out", sets=("thin", "camvid"), seeds=(0, 1))
    assert not done.interruption
    assert not done.failed
    assert len(fake_segment) == 5 * 6 * 2
    thin, camvid = json.loads((tmp_path / "out/gdc-table1.json").read_text())["sets"]
    lines = {line["branch"]: line for line in thin["lines"]}
    # normal: 2 of 7 known background columns wrong, all 7 of the object right
    assert lines["normal"]["miou"] == pytest.approx((5 / 7 + 7 / 9) / 2)
    assert lines["normal"]["accuracy"] == pytest.approx(12 / 14)
    assert lines["normal"]["difference"] == pytest.approx(1 - (5 / 7 + 7 / 9) / 2)
    assert lines[GDC]["miou"] == 1
    assert lines[GDC]["difference"] is None
    assert (thin["images"], thin["of"], thin["seeds"]) == (3, 3, [0, 1])
    verdicts = {(c["better"], c["worse"]): c["verdict"] for c in camvid["claims"]}
    assert verdicts[GDC, "normal"] == "holds"
    assert verdicts["dilated 6", "normal"] == "holds"
    assert set(verdicts) == set(TABLE1.claims)


def test_text_has_the_papers_numbers(root, tmp_path, fake_segment):
    done = run(root, tmp_path / "out")
    assert (tmp_path / "out/gdc-table1.md").read_text() == done.text
    line = next(li for li in done.text.splitlines() if li.startswith("| normal"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:4] == ["normal", "68.94", "53.41", "74.60"]
    assert "| +5.12 / +11.71 |" in done.text
    assert "other data than the paper's" in done.text
    with (tmp_path / "out/gdc-table1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    assert {row["image"] for row in rows} == {"a", "b", "c"}


def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(root, tmp_path, fake_segment):
    out = tmp_path / "out"

    def stop(done, text):
        if done == 8:
            raise KeyboardInterrupt

    first = run(root, out, progress=stop)
    assert first.interruption.startswith("interrupted: 8 of 18 done")
    assert "thin: 1 of 3 images" in first.text  # the second has two branches only
    assert len(fake_segment) == 8
    second = run(root, out)
    assert not second.interruption
    assert len(fake_segment) == 18
    assert "thin: 3 images" in second.text


def test_stopped_before_the_first_image(root, tmp_path, fake_segment):
    def stop(done, text):
        if done == 1:
            raise KeyboardInterrupt

    first = run(root, tmp_path / "out", progress=stop)
    assert "No image is finished" in first.text
    assert json.loads((tmp_path / "out/gdc-table1.json").read_text())["sets"] == []


def test_tables_share_measurements(root, tmp_path, fake_segment):
    run(root, tmp_path / "out")
    run(root, tmp_path / "out", name="gdc-table7")
    assert [branch for branch, _ in fake_segment[18:]] == ["uniform"] * 3


EARLIER = (
    "Preset(fit=DescentSettings(optimizer='sgd', steps=50, lr=0.01, momentum=0.9, "
    "weight_decay=0.0005, class_weight='inverse', superpixels=True, pixels_per_superpixel=400, "
    "compactness=10.0, conflict='unlabeled'), network=NetworkSettings(features='bundled', "
    "branch='gdc', sigma=0.2, dilation=6, channels=16, hidden=16, norm='batch'), draws=24, "
    "placing='even', average='softmax', evidence=False, refine=None, max_pixels=640000, "
    "weights='bundled', judges=1, guided_radius=4, temperature=1.0)"
)
"""The preset in the first line of rows.jsonl, before any name in it was changed."""


def test_rows_measured_before_names_changed_go_on(root, tmp_path, fake_segment):
    """Where this fails as something was renamed, `RENAMED` wants one line more."""
    run(root, tmp_path / "out")
    path = tmp_path / "out/rows.jsonl"
    head, *rows = path.read_text().splitlines()
    settings = {**json.loads(head)["settings"], "preset": EARLIER}
    path.write_text("\n".join([json.dumps({"settings": settings}), *rows]) + "\n")
    run(root, tmp_path / "out")
    assert len(fake_segment) == 18


def test_an_unusable_image_is_reported_and_left_out(root, tmp_path, fake_segment):
    save(root / "iseg/scribbles_thin/b.png", np.zeros(SHAPE))
    done = run(root, tmp_path / "out")
    assert list(done.failed) == ["thin/b"]
    assert "fewer than two classes" in done.failed["thin/b"]
    assert "thin: 2 of 3 images" in done.text
    assert "Note: thin: 1 images could not be used, b for one." in done.text
    assert str(root) not in done.text


def test_work_can_be_sent_to_other_processes(root, fake_segment):
    (task, *_) = plan_tasks(shared_samples(root, ("thin",)).samples, (GDC,), (0,))
    worker = partial(_make_worker, "paper", "bundled")
    setup, sent = pickle.loads(pickle.dumps((worker, task)))
    np.testing.assert_array_equal(setup()(sent, ignore).matrix, measure(task).matrix)


def test_features_and_preset_are_in_the_settings_and_the_report(root, tmp_path, fake_segment):
    out = tmp_path / "out"
    run(root, out)
    head = json.loads((out / "rows.jsonl").read_text().splitlines()[0])["settings"]
    assert "draws=24" in head["preset"]
    with pytest.raises(InputError, match="another preset"):
        run(root, out, preset="paper-literal")
    done = run(root, tmp_path / "literal", preset="paper-literal")
    assert "preset `paper-literal`, the bundled features" in done.text
    weights = tmp_path / "mobilenet.npz"
    save_folded(weights)
    done = run(root, tmp_path / "imagenet", features=str(weights))
    assert "preset `paper`, features mobilenet.npz" in done.text
    with pytest.raises(InputError, match="another features"):
        run(root, tmp_path / "imagenet")
    with pytest.raises(InputError, match=r"gone\.pth: no such file"):
        run(root, tmp_path / "other", features=str(tmp_path / "gone.pth"))


def save_folded(path):
    """An 8-bit MobileNetV2's first layers, with normalisation folded into biases."""
    sizes = {
        "0.0": (32, 3, 3, 3),
        "1.conv.0.0": (32, 1, 3, 3),
        "1.conv.1": (16, 32, 1, 1),
        "2.conv.0.0": (96, 16, 1, 1),
        "2.conv.1.0": (96, 1, 3, 3),
        "2.conv.2": (24, 96, 1, 1),
    }
    rng = np.random.default_rng(0)
    arrays = {f"features.{n}.weight": rng.normal(0, 0.1, s) for n, s in sizes.items()}
    arrays |= {f"features.{n}.bias": np.zeros(s[0]) for n, s in sizes.items()}
    np.savez(path, **{name: array.astype(np.float32) for name, array in arrays.items()})


def test_folded_features_pad_as_tensorflow_does(tmp_path):
    save_folded(tmp_path / "x.npz")
    head = load_head(str(tmp_path / "x.npz"))
    assert head.same_padding
    for height, width in ((8, 10), (9, 11)):
        fine, coarse = head(torch.rand(1, 3, height, width))
        assert fine.shape[2:] == (-(-height // 2), -(-width // 2))
        assert coarse.shape[2:] == (-(-height // 4), -(-width // 4))
    # Of an even size the first window begins at the first pixel, not one before it.
    image = torch.zeros(1, 3, 8, 8)
    image[..., 2, 2] = 1
    with torch.no_grad():
        head.stem.bias.zero_()
        seen = head._halved(head.stem, image)
    torch.testing.assert_close(seen[0, :, 1, 1], head.stem.weight[:, :, 0, 0].sum(1))
