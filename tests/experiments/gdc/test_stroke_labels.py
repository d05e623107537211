from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.data.known import CONTEXT_CLASSES
from saccade.errors import InputError
from saccade.experiments.engine.labels import label_notes, make_labels
from saccade.experiments.engine.network_config import NetworkPlan, run_config
from saccade.experiments.gdc.stroke_labels import LABELINGS, STROKE_LABELS
from saccade.experiments.networks import NETWORK_TABLES
from saccade.training.config import DataConfig
from tests.experiments.conftest import voc_tree, write_scribbles

pytestmark = pytest.mark.filterwarnings("ignore")


def run_network(*arguments):
    arguments = ["experiment", "network", *map(str, arguments)]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layout", "option", "value"),
    [
        ("gdc-table2", "voc", "--voc", 1),
        ("gdc-table3", "context59", "--context", CONTEXT_CLASSES.index("aeroplane")),
    ],
)
def test_gdc_tables_on_a_tree_like_the_papers(tmp_path, monkeypatch, name, layout, option, value):
    base = voc_tree(tmp_path, layout=layout)
    options = ("--schedule", "smoke", "--device", "cpu", "--backbone", "mobilenet_v2")
    options = (*options, "--weights", "none", "--subset", "two")
    options = (*options, "--rows", "pseudo-labels-from-strokes")
    given = (option, base, "--scribbles", tmp_path)
    done = run_network(name, *given, *options, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output + done.stderr
    strokes = np.asarray(Image.open(tmp_path / "out/labels/strokes/a.png"))
    assert strokes[20, 50] == value
    assert strokes[0, 0] == 255
    assert np.asarray(Image.open(tmp_path / "out/labels/pseudo-strokes/b.png"))[20, 50] == value


def test_images_with_strokes_of_one_class_are_left_out(tmp_path):
    base = voc_tree(tmp_path, ("a", "b", "c"))
    write_scribbles(tmp_path / "scribble_annotation/pascal_2012/b.xml", "plane", "plane")
    plan = NetworkPlan(
        DataConfig("voc", str(base)),
        "smoke",
        "mobilenet_v2",
        device="cpu",
        scribbles=tmp_path / "scribble_annotation/pascal_2012",
        subset="three",
    )
    folder = tmp_path / "labels"
    made = make_labels(["strokes"], [STROKE_LABELS], plan, folder, lambda *_: None)
    assert sorted(path.name for path in made["strokes"].glob("*.png")) == ["a.png", "c.png"]
    whose, left = label_notes(["strokes"], [STROKE_LABELS], plan, made)
    assert whose == "ScribbleSup's strokes"
    assert left.startswith("1 images have strokes of one class only, b for one")
    table = NETWORK_TABLES["gdc-table3"]
    partial = replace(table.rows["full masks"], labels="strokes")
    assert run_config(table, partial, plan, 0, made["strokes"]).supervision.leave_out
    for stem in ("a", "c"):
        write_scribbles(tmp_path / f"scribble_annotation/pascal_2012/{stem}.xml", "cat", "cat")
    with pytest.raises(InputError, match="no image has strokes of two classes"):
        make_labels(["strokes"], [STROKE_LABELS], plan, tmp_path / "none", lambda *_: None)


def test_table_2_is_made_from_the_papers_network_with_every_pixel_kept():
    rows = NETWORK_TABLES["gdc-table2"].rows
    kinds = {row.published: row.labels for row in rows.values() if row.published}
    assert kinds[64.9] == NETWORK_TABLES["gdc-table3"].rows["pseudo labels (paper)"].labels
    assert (LABELINGS[kinds[64.9]].preset, LABELINGS[kinds[64.9]].confidence) == ("paper", 0.0)
    literal = LABELINGS[rows["pseudo labels (paper-literal)"].labels]
    assert (literal.preset, literal.confidence) == ("paper-literal", 0.0)
    assert LABELINGS[rows["pseudo labels from strokes"].labels].preset == "fast"


def test_strokes_of_all_images_are_read_before_the_first_label_is_made(tmp_path):
    base = voc_tree(tmp_path)
    options = ("--schedule", "smoke", "--device", "cpu", "--weights", "none", "--subset", "two")
    part = tmp_path / "scribble_annotation/pascal_2012"

    def message(scribbles=tmp_path):
        arguments = ("--voc", base, "--scribbles", scribbles, *options, "-o", tmp_path / "out")
        done = run_network("gdc-table2", *arguments)
        assert done.exit_code == 1
        assert not list((tmp_path / "out").rglob("*.png"))
        return done.output + done.stderr

    write_scribbles(part / "b.xml", "background", "spaceship")
    assert "b.xml: unknown tag 'spaceship'" in message()
    (part / "b.xml").unlink()
    assert "1 of 2 training images have no strokes, b.xml for one" in message()
    assert "no folder pascal_2012 there" in message(tmp_path / "VOC2012")
