import pytest
import torch

from saccade.interactive.adapt import _clipped, adapt, half_gaussian, labelled_pixels
from saccade.interactive.sparse import initial_weights, sparse_logits


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _marks():
    marks = torch.full((2, 8, 9), 3)
    marks[0, 1, 2:6] = 0
    marks[0, 6, 1] = 2
    marks[1, 3:7, 4] = 1
    marks[1, 0, 0] = 0
    return marks


def _problem():
    """Two images whose first feature tells class 0 from class 1."""
    marks = torch.full((2, 8, 9), 2)
    marks[:, 2, :4], marks[:, 6, 4:] = 0, 1
    rows = torch.randn(2, 72, 4, generator=_generator(1)) * 0.1
    rows[:, :36, 0] -= 1
    rows[:, 36:, 0] += 1
    weights = initial_weights(4, 2, batch=2, generator=_generator(2))
    return {k: v.clone().requires_grad_() for k, v in weights.items()}, rows, marks


def _rates(weights, steps, value):
    return {name: torch.full((steps,), value) for name in weights}


def test_samples_are_labelled_pixels_of_their_class_equally_many_of_each():
    marks = _marks()
    labelled = labelled_pixels(marks, 3)
    assert labelled.counts.tolist() == [[4, 0, 1], [1, 4, 0]]
    pixels, targets = labelled.sample(20, _generator())
    assert targets.shape == (2, 60)
    for image in range(2):
        values = marks[image, pixels[image, :, 0], pixels[image, :, 1]]
        real = labelled.counts[image, targets[image]] > 0
        assert torch.equal(values[real], targets[image][real])
        assert torch.bincount(targets[image]).tolist() == [20, 20, 20]
    drawn = pixels[0, :20].unique(dim=0)
    assert len(drawn) == 4  # twenty draws miss none of four pixels


def test_offsets_are_whole_half_gaussian_and_seeded():
    offsets = half_gaussian((40_000,), 5.0, _generator(), torch.device("cpu"))
    assert offsets.dtype == torch.long
    assert offsets.min() == 0
    assert float(offsets.float().mean()) == pytest.approx(5 * (2 / torch.pi) ** 0.5, rel=0.02)
    assert torch.equal(offsets, half_gaussian((40_000,), 5.0, _generator(), torch.device("cpu")))


def test_steps_lower_the_loss_and_depend_on_the_generator_alone():
    weights, rows, marks = _problem()
    labelled = labelled_pixels(marks, 2)

    def run(seed, steps):
        return adapt(
            weights,
            _rates(weights, steps, 0.2),
            rows,
            (8, 9),
            labelled,
            per_class=16,
            generator=_generator(seed),
        )

    def wrong(fitted):
        pixels, targets = labelled.sample(16, _generator(9))
        offsets = torch.zeros(2, 9 * 32, 9, 2, dtype=torch.long)
        scores = sparse_logits(fitted, rows, (8, 9), pixels, offsets)
        return float((scores.argmax(2) != targets).float().mean())

    fitted, same, other = run(0, 30), run(0, 30), run(1, 30)
    assert wrong(fitted) < 0.05
    for name in fitted:
        assert torch.equal(fitted[name], same[name]), name
    assert not torch.equal(fitted["local"], other["local"])
    assert torch.equal(weights["local"], _problem()[0]["local"])  # the start is left alone


def test_a_rate_of_zero_freezes_its_tensor_only():
    weights, rows, marks = _problem()
    rates = _rates(weights, 3, 0.1) | {"local": torch.zeros(3)}
    fitted = adapt(weights, rates, rows, (8, 9), labelled_pixels(marks, 2), generator=_generator())
    assert torch.equal(fitted["local"], weights["local"])
    assert not torch.equal(fitted["dynamic"], weights["dynamic"])


def test_a_batch_is_fitted_as_each_image_alone():
    # One pixel a class and no spread: nothing is left to chance.
    weights, rows, _ = _problem()
    marks = torch.full((2, 8, 9), 2)
    marks[0, 1, 1], marks[0, 6, 6], marks[1, 2, 7], marks[1, 5, 0] = 0, 1, 0, 1
    rates = _rates(weights, 4, 0.1)
    options = {"sigma": 0.0, "per_class": 2, "generator": _generator()}
    together = adapt(weights, rates, rows, (8, 9), labelled_pixels(marks, 2), **options)
    for i in range(2):
        one = slice(i, i + 1)
        alone = adapt(
            {k: v[one].detach().requires_grad_() for k, v in weights.items()},
            rates,
            rows[one],
            (8, 9),
            labelled_pixels(marks[one], 2),
            **options,
        )
        for name in together:
            torch.testing.assert_close(together[name][one], alone[name], rtol=1e-4, atol=1e-5)


def test_a_class_without_pixels_takes_no_part():
    _, rows, marks = _problem()
    more = initial_weights(4, 3, batch=2, generator=_generator(2))
    more = {k: v.clone().requires_grad_() for k, v in more.items()}
    labelled = labelled_pixels(torch.where(marks == 2, 3, marks), 3)
    fitted = adapt(more, _rates(more, 20, 0.2), rows, (8, 9), labelled, generator=_generator())
    assert all(value.isfinite().all() for value in fitted.values())
    assert (fitted["out_bias"][:, 0, 2] < 0).all()  # only ever pushed down


def test_the_graph_through_the_steps_reaches_rates_and_start():
    weights, rows, marks = _problem()
    rates = {k: v.requires_grad_() for k, v in _rates(weights, 2, 0.1).items()}
    fitted = adapt(
        weights,
        rates,
        rows,
        (8, 9),
        labelled_pixels(marks, 2),
        per_class=8,
        generator=_generator(),
        create_graph=True,
    )
    sum(value.square().sum() for value in fitted.values()).backward()
    for name in weights:
        assert weights[name].grad.abs().sum() > 0, name
        assert (rates[name].grad != 0).all(), name


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
