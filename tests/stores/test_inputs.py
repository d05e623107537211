"""Images and strokes that lie in a store: the same masks, gone on with, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from saccade.stores import modified, path_of, putting
from tests.cli.networks import trained  # noqa: F401
from tests.helpers import run_python
from tests.stores.conftest import content, run

pytest.importorskip("upath")


@pytest.fixture
def stored(folders, store):
    """The same photographs and strokes in a store, which is where results go too."""
    root = path_of("memory://bucket")
    for path in sorted(folders.glob("*/*.png")):
        with putting(root / path.parent.name / path.name) as temporary:
            temporary.write_bytes(path.read_bytes())
    return root


def masks(folder):
    return {name: data for name, data in content(folder).items() if name.endswith(".png")}


@pytest.mark.parametrize(
    "command",
    [
        ("segment", "--instances", "--format", "png", "--format", "yolo"),
        ("pseudo-label", "--classes", "classes.txt", "--jobs", "1"),
    ],
)
def test_images_in_a_store_give_the_same_masks_and_are_gone_on_with(
    folders, stored, capsys, command
):
    verb, *options = command
    assert run(verb, "photos", "strokes", *options, "-o", "out") == 0
    inputs = verb, f"{stored}/photos", f"{stored}/strokes", *options
    assert run(*inputs, "-o", f"{stored}/out") == run(*inputs, "-o", "from-store") == 0
    expected = masks(folders / "out")
    assert len(expected) >= 3
    assert masks(stored / "out") == masks(folders / "from-store") == expected
    (stored / "out/1.png").unlink()
    before = modified(stored / "out/0.png"), modified(stored / "out/2.png")
    assert run(*inputs, "-o", f"{stored}/out") == 0
    assert before == (modified(stored / "out/0.png"), modified(stored / "out/2.png"))
    assert masks(stored / "out") == expected
    capsys.readouterr()


def test_one_image_in_a_store_and_strokes_of_this_machine(folders, stored, capsys):
    assert run("segment", f"{stored}/photos/1.png", "strokes/1.png", "-o", "out") == 0
    assert run("segment", "photos/1.png", "strokes/1.png", "-o", "here") == 0
    assert masks(folders / "out") == masks(folders / "here")


def test_strokes_of_a_store_that_changed_make_a_mask_outdated(folders, stored, capsys):
    command = "segment", f"{stored}/photos", f"{stored}/strokes", "-o", "out"
    assert run(*command) == 0
    capsys.readouterr()
    data = (stored / "strokes/2.png").read_bytes()
    with putting(stored / "strokes/2.png") as temporary:
        temporary.write_bytes(data)
    assert run(*command) == 0
    assert "1 of the masks there are older" in capsys.readouterr().err


def test_pseudo_masks_of_images_that_changed_in_a_store_are_made_anew(folders, stored, capsys):
    command = "pseudo-label", f"{stored}/photos", f"{stored}/strokes", "--classes", "classes.txt"
    assert run(*command, "--jobs", "1", "-o", "out") == 0
    before = (folders / "out/0.png").read_bytes()
    image = np.asarray(Image.open(folders / "photos/0.png"))
    Image.fromarray(image[::-1].copy()).save(folders / "turned.png")
    with putting(stored / "photos/0.png") as temporary:
        temporary.write_bytes((folders / "turned.png").read_bytes())
    assert run(*command, "--jobs", "1", "-o", "out") == 0
    assert (folders / "out/0.png").read_bytes() != before


def test_what_is_wrong_in_a_store_is_called_by_its_address(folders, stored, capsys):
    with putting(stored / "strokes/1.png") as temporary:
        temporary.write_bytes(b"no picture")
    command = "segment", f"{stored}/photos", f"{stored}/strokes", "-o", "out"
    assert run(*command) == 1
    said = capsys.readouterr().err
    assert "memory://bucket/strokes/1.png" in said
    assert "saccade-" not in said
    assert len(masks(folders / "out")) == 4  # masks and pictures of the two others


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("photos/9.png", "strokes/1.png"), "bucket/photos/9.png: no such file"),
        (("nowhere", "strokes"), "bucket/nowhere: no such file"),
        (("photos", "empty.png"), "bucket/empty.png: the file is empty"),
        (("cells.zarr", "strokes"), "cells.zarr: is an image of many files; expected a copy on"),
        (
            ("stack", "pages"),
            "stack/a.tif: is a stack, which is read plane by plane; expected",
        ),
    ],
)
def test_what_cannot_be_segmented_in_a_store_is_one_line(
    folders, stored, capsys, monkeypatch, arguments, said
):
    import tifffile

    with putting(stored / "empty.png"), putting(stored / "cells.zarr/zarr.json") as temporary:
        temporary.write_text("{}")
    for name, values in (("stack", 7), ("pages", 1)):
        with putting(stored / name / "a.tif") as temporary:
            pages = np.full((3, 24, 32), values, np.uint8)
            tifffile.imwrite(temporary, pages, photometric="minisblack", metadata={"axes": "ZYX"})
    image, strokes = (f"{stored}/{name}" for name in arguments)
    assert run("segment", image, strokes, "-o", "out") == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if said in line]
    assert len(lines) == 1


def test_a_table_goes_to_a_store(folders, stored, capsys):
    command = "segment", "photos", "strokes"
    assert run(*command, "-o", "out", "--table", "cells.csv") == 0
    assert run(*command, "-o", f"{stored}/out", "--table", f"{stored}/tables/cells.csv") == 0
    for name in ("cells.csv", "cells.summary.csv"):
        assert (stored / "tables" / name).read_bytes() == (folders / name).read_bytes()
    assert not (folders / "memory:").exists()


@pytest.mark.parametrize("verb", ["segment", "pseudo-label"])
def test_other_processes_do_not_see_what_is_in_the_memory_of_this_one(
    folders, stored, capsys, verb
):
    more = () if verb == "segment" else ("--classes", "classes.txt")
    command = verb, f"{stored}/photos", f"{stored}/strokes", *more, "-o", "out", "--jobs", "2"
    assert run(*command) == 1
    assert "photos: is the memory of one process" in capsys.readouterr().err


def test_maps_in_a_store_are_refused(folders, stored, capsys):
    with putting(stored / "maps/0.npz") as temporary:
        temporary.write_bytes(b"maps")
    command = "pseudo-label", "photos", f"{stored}/maps", "--classes", "classes.txt"
    assert run(*command, "--jobs", "1", "-o", "out") == 1
    assert "bucket/maps: images and their maps are read on this machine" in capsys.readouterr().err


def test_a_network_predicts_images_of_a_store(trained, store, tmp_path):  # noqa: F811
    photos = trained / "data/images/val"
    for path in photos.iterdir():
        with putting(store.parent / "photos" / path.name) as temporary:
            temporary.write_bytes(path.read_bytes())
    command = "predict", str(trained / "run/best.safetensors")
    assert run(*command, str(photos), "-o", str(tmp_path / "out")) == 0
    inputs = *command, str(store.parent / "photos")
    assert run(*inputs, "-o", str(store)) == 0
    assert masks(store) == masks(tmp_path / "out")
    before = modified(store / "0.png")
    assert run(*inputs, "-o", str(store)) == 0
    assert modified(store / "0.png") == before


@pytest.mark.slow
def test_a_batch_from_s3_to_s3_is_gone_on_with_by_several_processes(folders, s3):
    keys = s3()
    script = (
        "import s3fs; fs = s3fs.S3FileSystem(); fs.mkdir('bucket'); "
        "[fs.put(f'{name}/', f'bucket/{name}/', recursive=True) for name in ('photos', 'strokes')]"
    )
    run_python("-c", script, cwd=folders, **keys)
    segment = ("-m", "saccade.cli", "segment", "--no-overlay")
    run_python(*segment, "photos", "strokes", "-o", "out", cwd=folders)
    order = (*segment, "s3://bucket/photos", "s3://bucket/strokes", "-o", "s3://bucket/out")
    run_python(*order, "--jobs", "2", cwd=folders, **keys)
    run_python("-c", "import s3fs; s3fs.S3FileSystem().rm('bucket/out/1.png')", **keys)
    again = run_python(*order, cwd=folders, **keys)
    assert "2 already done, skipped" in again.stderr
    script = (
        "import s3fs; fs = s3fs.S3FileSystem(); "
        "[print(n.removeprefix('bucket/out'), fs.cat_file(n).hex()) for n in fs.find('bucket/out')]"
    )
    lines = run_python("-c", script, **keys).stdout.splitlines()
    there = {name: bytes.fromhex(data) for name, data in map(str.split, lines)}
    assert there == content(folders / "out")


@pytest.mark.parametrize(
    "command",
    [
        ("label", "memory://photos", "strokes", "-o", "out"),
        ("fit", "photos", "memory://strokes", "-o", "a.saccade"),
        ("segment", "photos", "--model", "memory://a.saccade", "-o", "out"),
        ("predict", "memory://best.safetensors", "photos", "-o", "out"),
        ("check-data", "memory://data"),
    ],
)
def test_what_has_to_lie_on_this_machine_is_one_line(folders, capsys, command):
    assert run(*command) == 2
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "expected a file or folder of this machine here" in said
    assert not {path.name for path in folders.iterdir()} - {"photos", "strokes", "classes.txt"}
