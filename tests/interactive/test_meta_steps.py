import pytest
import torch
from torch.nn import functional as F

from saccade.interactive.meta_steps import _clipped, gradients_of, labeled_pixels, take_meta_steps
from saccade.models.scribble_net.batched import batched_scores, initial_weights


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _labels():
    labels = torch.full((2, 8, 9), 3)
    labels[0, 1, 2:6] = 0
    labels[0, 6, 1] = 2
    labels[1, 3:7, 4] = 1
    labels[1, 0, 0] = 0
    return labels


def _problem():
    """Two images whose first feature tells class 0 from class 1."""
    labels = torch.full((2, 8, 9), 2)
    labels[:, 2, :4], labels[:, 6, 4:] = 0, 1
    rows = torch.randn(2, 72, 4, generator=_generator(1)) * 0.1
    rows[:, :36, 0] -= 1
    rows[:, 36:, 0] += 1
    weights = initial_weights(4, 2, batch=2, generator=_generator(2))
    return {k: v.clone().requires_grad_() for k, v in weights.items()}, rows, labels


def _rates(weights, steps, value):
    return {name: torch.full((steps,), value) for name in weights}


def test_samples_are_labeled_pixels_of_their_class_equally_many_of_each():
    labels = _labels()
    labeled = labeled_pixels(labels, 3)
    assert labeled.counts.tolist() == [[4, 0, 1], [1, 4, 0]]
    pixels, targets = labeled.sample(20, _generator())
    assert targets.shape == (2, 60)
    for image in range(2):
        values = labels[image, pixels[image, :, 0], pixels[image, :, 1]]
        real = labeled.counts[image, targets[image]] > 0
        assert torch.equal(values[real], targets[image][real])
        assert torch.bincount(targets[image]).tolist() == [20, 20, 20]
    assert len(pixels[0, :20].unique(dim=0)) == 4  # twenty samples miss none of four pixels


def test_steps_lower_the_loss_and_depend_on_the_generator_alone():
    weights, rows, labels = _problem()
    labeled = labeled_pixels(labels, 2)

    def run(seed, steps):
        return take_meta_steps(
            weights,
            _rates(weights, steps, 0.2),
            rows,
            (8, 9),
            labeled,
            per_class=16,
            generator=_generator(seed),
        )

    def wrong(fitted):
        pixels, targets = labeled.sample(16, _generator(9))
        offsets = torch.zeros(2, 9 * 32, 9, 2, dtype=torch.long)
        scores = batched_scores(fitted, rows, (8, 9), pixels, offsets)
        return float((scores.argmax(2) != targets).float().mean())

    fitted, same, other = run(0, 30), run(0, 30), run(1, 30)
    assert wrong(fitted) < 0.05
    for name in fitted:
        assert torch.equal(fitted[name], same[name]), name
    assert not torch.equal(fitted["local"], other["local"])
    assert torch.equal(weights["local"], _problem()[0]["local"])  # the start is left alone


def test_a_rate_of_zero_freezes_its_tensor_only():
    weights, rows, labels = _problem()
    rates = _rates(weights, 3, 0.1) | {"local": torch.zeros(3)}
    fitted = take_meta_steps(
        weights, rates, rows, (8, 9), labeled_pixels(labels, 2), generator=_generator()
    )
    assert torch.equal(fitted["local"], weights["local"])
    assert not torch.equal(fitted["dynamic"], weights["dynamic"])


def test_a_batch_is_fitted_as_each_image_alone():
    # One pixel a class and no spread: nothing is left to chance.
    weights, rows, _ = _problem()
    labels = torch.full((2, 8, 9), 2)
    labels[0, 1, 1], labels[0, 6, 6], labels[1, 2, 7], labels[1, 5, 0] = 0, 1, 0, 1
    rates = _rates(weights, 4, 0.1)
    options = {"sigma": 0.0, "per_class": 2, "generator": _generator()}
    together = take_meta_steps(weights, rates, rows, (8, 9), labeled_pixels(labels, 2), **options)
    for i in range(2):
        one = slice(i, i + 1)
        alone = take_meta_steps(
            {k: v[one].detach().requires_grad_() for k, v in weights.items()},
            rates,
            rows[one],
            (8, 9),
            labeled_pixels(labels[one], 2),
            **options,
        )
        for name in together:
            torch.testing.assert_close(together[name][one], alone[name], rtol=1e-4, atol=1e-5)


def test_a_class_without_pixels_takes_no_part():
    _, rows, labels = _problem()
    more = initial_weights(4, 3, batch=2, generator=_generator(2))
    more = {k: v.clone().requires_grad_() for k, v in more.items()}
    labeled = labeled_pixels(torch.where(labels == 2, 3, labels), 3)
    fitted = take_meta_steps(
        more, _rates(more, 20, 0.2), rows, (8, 9), labeled, generator=_generator()
    )
    assert all(value.isfinite().all() for value in fitted.values())
    assert (fitted["out_bias"][:, 0, 2] < 0).all()  # only ever pushed down


def test_the_graph_through_the_steps_reaches_rates_and_start():
    weights, rows, labels = _problem()
    rates = {k: v.requires_grad_() for k, v in _rates(weights, 2, 0.1).items()}
    fitted = take_meta_steps(
        weights,
        rates,
        rows,
        (8, 9),
        labeled_pixels(labels, 2),
        per_class=8,
        generator=_generator(),
        create_graph=True,
    )
    sum(value.square().sum() for value in fitted.values()).backward()
    for name in weights:
        assert weights[name].grad.abs().sum() > 0, name
        assert (rates[name].grad != 0).all(), name


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_gradients_are_those_of_a_weighted_cross_entropy(classes):
    weights = initial_weights(4, classes, hidden=3, batch=2, generator=_generator())
    weights = {k: (v + 0.1).double().requires_grad_() for k, v in weights.items()}
    rows = torch.randn(2, 30, 4, generator=_generator(1), dtype=torch.double)
    pixels = torch.randint(0, 5, (2, 7, 2), generator=_generator(2))
    offsets = torch.randint(0, 4, (2, 63, 9, 2), generator=_generator(3))
    targets = torch.randint(0, classes, (2, 7), generator=_generator(4))
    share = torch.rand(2, 7, generator=_generator(5), dtype=torch.double)
    share[0, 3] = 0

    def scores():
        return batched_scores(weights, rows, (6, 5), pixels, offsets)

    loss = (F.cross_entropy(scores().mT, targets, reduction="none") * share).sum()
    expected = torch.autograd.grad(loss, list(weights.values()))
    gradients = gradients_of(scores(), targets, share, weights)
    assert gradients.keys() == weights.keys()
    for name, gradient in zip(weights, expected, strict=True):
        torch.testing.assert_close(gradients[name], gradient, msg=name)


def test_no_gradient_is_longer_than_the_limit_and_short_ones_stay():
    short = {"a": torch.full((1, 2, 3), 0.1), "b": torch.full((1, 1, 4), -0.2)}
    long = {name: 1e6 * g for name, g in short.items()}
    both = {name: torch.cat([short[name], long[name]]) for name in short}
    found = _clipped(both)
    for name, gradient in short.items():
        torch.testing.assert_close(found[name][:1], gradient)
        shrunk = found["a"][1, 0, 0] / 0.1
        torch.testing.assert_close(found[name][1:], shrunk * gradient)
    assert sum(g[1].square().sum() for g in found.values()) ** 0.5 == pytest.approx(8)
