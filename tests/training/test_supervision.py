from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.check import inspect
from saccade.data.sets import open_set
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.evaluation.inference import as_batch
from saccade.models.checkpoint import load_checkpoint
from saccade.training.config import DataConfig, config_of
from saccade.training.inputs import open_sets
from saccade.training.loop import train
from saccade.training.losses import pixel_loss
from saccade.training.samples import Examples
from saccade.training.supervised_data import supervised_by
from saccade.training.supervision import Batch, SupervisionConfig, supervise
from saccade.training.weak_losses import weak_loss

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def pseudo(data):
    """Masks in which half of the pixels have no class, and class 2 never occurs."""
    folder = data / "pseudo"
    folder.mkdir()
    for path in (data / "masks/train").iterdir():
        values = np.asarray(Image.open(path)).copy()
        values[:, ::2] = 255
        values[values == 2] = 255
        Image.fromarray(values).save(folder / path.name)
    return folder


def test_other_masks_stand_in_for_those_of_the_data(data, pseudo):
    found = open_set("folder", data, "train")
    weak = supervised_by(found, SupervisionConfig(str(pseudo)))
    assert (weak.labels(0)[:, ::2] == 255).all()
    assert np.array_equal(weak.labels(0)[1:, 1::2] == 1, found.labels(0)[1:, 1::2] == 1)
    strong = supervised_by(found, SupervisionConfig(str(pseudo), strong=3, strong_seed=1))
    assert sum(not e.weak for e in strong.examples) == 3
    other = supervised_by(found, SupervisionConfig(str(pseudo), strong=3, strong_seed=2))
    assert [e.weak for e in other.examples] != [e.weak for e in strong.examples]
    (data / "strong.txt").write_text("1\n4\n")
    named = SupervisionConfig(str(pseudo), strong_list=str(data / "strong.txt"))
    assert {e.name for e in supervised_by(found, named).examples if not e.weak} == {"1", "4"}
    one = supervised_by(found, replace(named, strong=1)).examples
    assert {e.name for e in one if not e.weak} < {"1", "4"}
    with pytest.raises(InputError, match="strong is 3, of 2 images"):
        supervised_by(found, replace(named, strong=3))


def test_pseudo_masks_have_class_indices_whatever_the_data_has(data, pseudo):
    (data / "classes.txt").write_text("10 ground\n20 red\n30 green\n")
    for path in (data / "masks/train").iterdir():
        values = np.asarray(Image.open(path)).astype(int)
        Image.fromarray(np.where(values < 255, values * 10 + 10, 255).astype(np.uint8)).save(path)
    found = open_set("folder", data, "train")
    mixed = supervised_by(found, SupervisionConfig(str(pseudo), strong=1))
    for index in range(len(mixed.examples)):
        assert set(np.unique(mixed.labels(index))) <= {0, 1, 2, 255}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"masks": "nowhere"}, "no such folder of masks"),
        ({"masks": "pseudo", "strong": 99}, "strong is 99, of 8 images"),
        ({"masks": "pseudo", "strong_list": "list.txt"}, "'x' is no image"),
    ],
)
def test_masks_of_another_size_or_class_are_refused(data, pseudo, values, message):
    (data / "list.txt").write_text("1 x\n")
    paths = {k: str(data / v) if isinstance(v, str) else v for k, v in values.items()}
    with pytest.raises(InputError, match=message):
        supervised_by(open_set("folder", data, "train"), SupervisionConfig(**paths))


def test_an_image_without_a_pseudo_mask_is_named(data, pseudo):
    (pseudo / "5.png").unlink()
    with pytest.raises(InputError, match=r"5\.png: no such file, the mask of 5\.png"):
        supervised_by(open_set("folder", data, "train"), SupervisionConfig(str(pseudo)))
    left = supervised_by(
        open_set("folder", data, "train"), SupervisionConfig(str(pseudo), leave_out=True)
    )
    assert "5" not in {example.name for example in left.examples}
    assert left.remarks == ("1 of 8 images have no file in pseudo/; left out",)


@pytest.mark.parametrize(
    "values",
    [
        {"online": 1.0},
        {"crf": 0.1},
        {"strong": 3},
        {"masks": "x", "online": -1.0},
        {"masks": "x", "crf_radius": 0},
        {"masks": "x", "strong": -2},
    ],
)
def test_settings_without_meaning_are_refused(values):
    with pytest.raises(InputError, match="supervision: "):
        SupervisionConfig(**values)


def test_allowed_classes_are_those_of_the_mask_or_of_the_file(data, pseudo):
    config = SupervisionConfig(str(pseudo), strong=2, online=1.0)
    found = supervised_by(open_set("folder", data, "train"), config)
    examples = Examples(found, Augmentation(crop=(48, 64)), 0, config)
    for index, example in enumerate(found.examples):
        allowed = examples[0, index].allowed.tolist()
        assert allowed == [example.weak, example.weak, False]
    lines = [f"{e.name},green" for e in found.examples]
    (data / "labels.csv").write_text("\n".join(lines))
    config = SupervisionConfig(str(pseudo), online=1.0, labels=str(data / "labels.csv"))
    weak = supervised_by(open_set("folder", data, "train"), config)
    examples = Examples(weak, Augmentation(crop=(48, 64)), 0, config)
    assert examples[0, 0].allowed.tolist() == [False, False, True]


def batch_of(size=(16, 24)):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (2, *size), generator=generator).to(torch.uint8)
    inside = torch.ones(2, *size, dtype=torch.bool)
    images = torch.rand(2, 3, *size, generator=generator)
    return Batch(images, labels, inside, torch.tensor([[True, True, False], [False] * 3]))


def test_supervise_is_the_sum_of_its_parts():
    batch = batch_of()
    scores = torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(1))
    plain = supervise(scores, batch, batch.images, SupervisionConfig(), None)
    torch.testing.assert_close(plain, pixel_loss(scores, batch.labels))
    online = SupervisionConfig("masks", online=0.5)
    torch.testing.assert_close(
        supervise(scores, batch, batch.images, online, None),
        weak_loss(scores, batch.labels, batch.allowed, batch.inside, online=0.5),
    )
    with_crf = SupervisionConfig("masks", crf=0.3)
    more = supervise(scores, batch, batch.images, with_crf, None) - plain
    twice = SupervisionConfig("masks", crf=0.6)
    assert more > 0
    torch.testing.assert_close(
        supervise(scores, batch, batch.images, twice, None) - plain, 2 * more
    )


def test_the_crf_looks_at_weak_images_only():
    batch = batch_of()
    scores = torch.randn(2, 3, 16, 24).requires_grad_()
    config = SupervisionConfig("masks", crf=1.0)
    nothing = batch._replace(labels=torch.full_like(batch.labels, 255))
    supervise(scores, nothing, batch.images, config, None).backward()
    assert scores.grad[0].abs().max() > 0
    assert scores.grad[1].abs().max() == 0


def test_coarse_scores_meet_every_eighth_label():
    batch = batch_of((17, 24))
    scores = torch.randn(2, 3, 3, 3)
    found = supervise(scores, batch, batch.images, SupervisionConfig(), None)
    torch.testing.assert_close(found, pixel_loss(scores, batch.labels[:, ::8, ::8]))


def test_training_with_every_kind_of_supervision(settings, data, pseudo, tmp_path):
    content = {
        **settings,
        "supervision": {"masks": "pseudo", "strong": 2, "online": 1.0, "crf": 0.1},
    }
    config = config_of(content, data)
    assert config.supervision.masks == str(pseudo)
    reported = []
    done = train(config, tmp_path / "run", note=reported.append)
    assert (done.step, done.interrupted) == (4, False)
    assert reported == []  # the strong masks have the class that the pseudo masks lack
    weak = replace(config, supervision=SupervisionConfig(str(pseudo)))
    train(weak, tmp_path / "weak", note=reported.append)
    assert reported == ["no training mask has the class green; the network cannot learn it"]
    training, val = open_sets(config.data, config.supervision)
    assert sum(e.weak for e in training.examples) == 6
    assert not any(e.weak for e in val.examples)


@pytest.mark.slow
def test_largefov_trains_on_its_coarse_scores(settings, tmp_path):
    content = {
        **settings,
        "network": {"network": "largefov", "backbone": "vgg16", "pyramid": "none"},
        "optim": {
            "epochs": 1,
            "batch": 4,
            "lr": 0.001,
            "bias_lr": 2.0,
            "decay_norms": False,
            "drop": 0.5,
        },
    }
    done = train(config_of(content, tmp_path), tmp_path / "run")
    assert done.step == 2
    assert (tmp_path / "run/best.safetensors").exists()


def test_images_without_a_mask_of_the_data_learn_from_another_or_from_labels(data, pseudo):
    for folder, names in ((data / "masks/train", "23"), (pseudo, "2")):
        for name in names:
            (folder / f"{name}.png").unlink()
    (data / "labels.csv").write_text("2,green\n")
    plain = SupervisionConfig(str(pseudo), online=1.0)
    with pytest.raises(InputError, match=r"no mask 2\.png in .*train$"):
        open_sets(DataConfig("folder", str(data)), plain)
    config = replace(plain, labels=str(data / "labels.csv"))
    found, _ = open_sets(DataConfig("folder", str(data)), config)
    assert len(found.examples) == 8
    alone = [example.name for example in found.examples if example.labels_alone]
    assert alone == ["2"]
    at = [example.name for example in found.examples].index("2")
    assert found.examples[at].labels_alone == (2,)
    assert (found.labels(at) == 255).all()
    seen = inspect(found)
    assert not seen.problems
    assert not seen.absent  # class 2 is in no mask
    assert seen.digest != inspect(replace(found, examples=found.examples[1:])).digest
    assert found.labels(at).shape == found.image(at).shape[:2]
    examples = Examples(found, Augmentation(crop=(48, 64)), 0, config)
    assert examples[0, at].allowed.tolist() == [False, False, True]
    said = " ".join(examples.allowed.remarks)
    assert "1 images have labels alone, no mask" in said
    assert "7 images have no line in" in said
    strong = replace(config, strong_list=str(data / "strong.txt"))
    (data / "strong.txt").write_text("2\n")
    with pytest.raises(InputError, match=r"2\.png: no such file, the mask of 2"):
        open_sets(DataConfig("folder", str(data)), strong)


def test_labels_alone_teach_a_network(data, pseudo, settings, tmp_path):
    """Images of one class each: the network's own mask, kept to it, is what it learns from."""
    names = [path.stem for path in sorted(pseudo.iterdir())]
    for name in names[2:]:
        (pseudo / f"{name}.png").unlink()
    (data / "labels.csv").write_text("\n".join(f"{name},green" for name in names))
    settings["supervision"] = {
        "masks": str(pseudo),
        "online": 1.0,
        "labels": str(data / "labels.csv"),
    }
    settings["optim"] |= {"epochs": 6, "lr": 0.05}
    config = config_of(settings, tmp_path)
    done = train(config, tmp_path / "run")
    net = load_checkpoint(tmp_path / "run" / "last.safetensors").net
    found, _ = open_sets(config.data, config.supervision)
    with torch.no_grad():
        shares = [net(as_batch(found.image(i))).argmax(1).eq(2).float().mean() for i in (3, 4, 5)]
    assert done.step == 12
    assert min(shares) > 0.5


def test_a_file_of_labels_without_online_is_no_supervision(data, pseudo):
    (pseudo / "2.png").unlink()
    (data / "labels.csv").write_text("2,green\n")
    config = SupervisionConfig(str(pseudo), labels=str(data / "labels.csv"))
    with pytest.raises(InputError, match="no such file, the mask of 2"):
        open_sets(DataConfig("folder", str(data)), config)
