import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.data.known import CONTEXT_CLASSES
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
    options = (*options, "--weights", "none", "--rows", "pseudo-labels-from-strokes")
    given = (option, base, "--scribbles", tmp_path)
    done = run_network(name, *given, *options, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output + done.stderr
    strokes = np.asarray(Image.open(tmp_path / "out/labels/strokes/a.png"))
    assert strokes[20, 50] == value
    assert strokes[0, 0] == 255
    assert np.asarray(Image.open(tmp_path / "out/labels/pseudo-strokes/b.png"))[20, 50] == value


def test_strokes_of_all_images_are_read_before_the_first_label_is_made(tmp_path):
    base = voc_tree(tmp_path)
    options = ("--schedule", "smoke", "--device", "cpu", "--weights", "none")
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
