"""A data set of Hugging Face on disk becomes files."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from saccade.discovery.hugging_face import is_hugging_face, unpack
from saccade.errors import InputError

pytest.importorskip("datasets", reason="the extra hugging is not installed")
pa = pytest.importorskip("pyarrow", reason="the extra science is not installed")


def encoded(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": None}


def save_split(folder, count, mask="annotation"):
    """What `Dataset.save_to_disk` writes of masks and photographs."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    masks = [encoded(np.full((12, 16), n % 3, np.uint8)) for n in range(count)]
    photos = [encoded(draw.integers(0, 256, (12, 16, 3), np.uint8)) for _ in range(count)]
    table = pa.table({mask: pa.array(masks, picture), "photo": pa.array(photos, picture)})
    with pa.ipc.new_stream(folder / "data.arrow", table.schema) as writer:
        writer.write_table(table)
    features = {name: {"_type": "Image"} for name in (mask, "photo")}
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    nothing = dict.fromkeys(("_format_columns", "_format_type", "_split"))
    state = {"_data_files": [{"filename": "data.arrow"}], "_fingerprint": "a", **nothing}
    state |= {"_format_kwargs": {}, "_output_all_columns": False}
    (folder / "state.json").write_text(json.dumps(state))
    return folder


def save_splits(folder, **counts):
    for name, count in counts.items():
        save_split(folder / name, count)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": list(counts)}))
    return folder


def test_splits_become_folders_with_the_same_pixels(tmp_path):
    found = save_splits(tmp_path / "set", train=4, validation=2)
    assert is_hugging_face(found)
    out = unpack(found, tmp_path / "out")
    names = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.png"))
    assert len(names) == 12
    assert names[0] == "images/train/000000.png"
    assert "masks/val/000001.png" in names
    np.testing.assert_array_equal(Image.open(out / "masks/train/000002.png"), np.full((12, 16), 2))
    draw = np.random.default_rng(0)
    *_, last = [draw.integers(0, 256, (12, 16, 3), np.uint8) for _ in range(4)]
    np.testing.assert_array_equal(Image.open(out / "images/train/000003.png"), last)


def test_init_makes_a_configuration_of_it(tmp_path):
    from tests.cli.networks import check, run

    save_splits(tmp_path / "set", train=6, validation=3)
    result = run("init", tmp_path / "set", "-o", tmp_path / "t")
    check(result, "6 images to train on, 3 to score on")
    assert (tmp_path / "t/train.toml").is_file()


def test_a_set_without_masks_or_of_other_files_is_one_clear_line(tmp_path):
    save_split(tmp_path / "a", 2, mask="thumbnail")
    with pytest.raises(InputError, match=r"columns of images are thumbnail, photo; expected one"):
        unpack(tmp_path / "a", tmp_path / "out")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/dataset_info.json").write_text("{")
    with pytest.raises(InputError, match="no data set of Hugging Face that can be read"):
        unpack(tmp_path / "b", tmp_path / "out")
    assert not is_hugging_face(tmp_path)
