import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from saccade.errors import InputError
from saccade.training.weak_losses import gated_crf_loss, mean_per_image, online_mask, weak_loss


def scores_of(batch=2, classes=4, size=(5, 6), seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, classes, *size, generator=generator, **options)


def test_online_mask_has_only_the_classes_of_its_image():
    scores = scores_of()
    scores[:, 3] += 100  # the network's favourite is in neither image
    allowed = torch.tensor([[True, True, False, False], [False, False, False, False]])
    inside = torch.ones(2, 5, 6, dtype=torch.bool)
    inside[0, :, 4:] = False
    mask = online_mask(scores.requires_grad_(), allowed, inside)
    assert not mask.requires_grad
    assert torch.equal(mask[0, :, :4], scores[0, :2, :, :4].argmax(0))
    assert (mask[0, :, 4:] == 255).all()
    assert (mask[1] == 255).all()  # a strong image has no online mask


def test_weak_loss_is_equations_1_and_2_summed_pixel_by_pixel():
    scores = scores_of(batch=3).double()
    labels = torch.randint(0, 4, (3, 5, 6), generator=torch.Generator().manual_seed(1))
    labels[0, :2], labels[1] = 255, 255
    allowed = torch.zeros(3, 4, dtype=torch.bool)
    allowed[0, [0, 2]] = allowed[1, [1, 3]] = True  # the third has a full mask
    inside = torch.ones(3, 5, 6, dtype=torch.bool)
    inside[0, 4] = False
    logs = scores.log_softmax(1)
    expected = 0.0
    for image in range(3):
        known = [
            logs[image, labels[image, y, x], y, x]
            for y in range(5)
            for x in range(6)
            if labels[image, y, x] != 255
        ]
        expected -= sum(known) / max(1, len(known))
        classes = allowed[image].nonzero().flatten().tolist()
        if classes:
            online = [
                max(logs[image, c, y, x] for c in classes)
                for y in range(5)
                for x in range(6)
                if inside[image, y, x]
            ]
            expected -= sum(online) / len(online)
    found = weak_loss(scores, labels, allowed, inside)
    torch.testing.assert_close(found, expected / 3)
    only_masks = weak_loss(scores, labels, allowed, inside, online=0.0)
    assert only_masks < found
    torch.testing.assert_close(only_masks, mean_per_image(scores, labels).mean())


def test_mean_per_image_with_class_weights_is_torchs():
    scores, weight = scores_of(), torch.tensor([1.0, 2.0, 0.5, 3.0])
    labels = torch.randint(0, 4, (2, 5, 6), generator=torch.Generator().manual_seed(1))
    labels[0, 0] = 255
    for image in range(2):
        expected = functional.cross_entropy(
            scores[image : image + 1], labels[image : image + 1], weight, ignore_index=255
        )
        torch.testing.assert_close(mean_per_image(scores, labels, weight)[image], expected)


def test_nothing_labeled_is_a_loss_of_zero_with_a_gradient():
    scores = scores_of().requires_grad_()
    labels = torch.full((2, 5, 6), 255, dtype=torch.uint8)
    loss = mean_per_image(scores, labels).sum()
    loss.backward()
    assert loss == 0
    assert torch.equal(scores.grad, torch.zeros_like(scores))


def slow_crf(probabilities, images, inside, radius, xy, rgb):
    """All pairs of pixels, one by one."""
    batch, _, height, width = images.shape
    total = 0.0
    for b in range(batch):
        for y1 in range(height):
            for x1 in range(width):
                for y2 in range(height):
                    for x2 in range(width):
                        dy, dx = y2 - y1, x2 - x1
                        if (dy, dx) == (0, 0) or max(abs(dy), abs(dx)) > radius:
                            continue
                        if not (inside[b, y1, x1] and inside[b, y2, x2]):
                            continue
                        unlike = (images[b, :, y1, x1] - images[b, :, y2, x2]).square().sum()
                        kernel = torch.exp(-0.5 * ((dy**2 + dx**2) / xy**2 + unlike / rgb**2))
                        agree = (probabilities[b, :, y1, x1] * probabilities[b, :, y2, x2]).sum()
                        total = total + kernel * (1 - agree)
    return total / inside.sum()


@given(
    size=st.tuples(st.integers(1, 5), st.integers(1, 6)),
    radius=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_gated_crf_is_the_sum_over_pairs(size, radius, seed):
    generator = torch.Generator().manual_seed(seed)
    found = scores_of(2, 3, size, seed).double().softmax(1).requires_grad_()
    images = torch.rand(2, 3, *size, generator=generator, dtype=torch.double)
    inside = torch.rand(2, *size, generator=generator) > 0.2
    inside[0, 0, 0] = True
    fast = gated_crf_loss(found, images, inside, radius=radius, xy=2.0, rgb=0.3)
    slow = slow_crf(found, images, inside, radius, 2.0, 0.3)
    torch.testing.assert_close(fast, torch.as_tensor(slow, dtype=fast.dtype))
    if fast.requires_grad and torch.is_tensor(slow):
        one, two = (torch.autograd.grad(loss, found)[0] for loss in (fast, slow))
        torch.testing.assert_close(one, two)


def test_gated_crf_is_least_where_alike_pixels_agree():
    images = torch.zeros(1, 3, 8, 8)
    images[..., 4:] = 1.0
    inside = torch.ones(1, 8, 8, dtype=torch.bool)
    along = torch.zeros(1, 2, 8, 8)
    along[:, 0, :, :4], along[:, 1, :, 4:] = 1, 1
    across = along.transpose(2, 3)
    losses = [float(gated_crf_loss(found, images, inside)) for found in (along, across)]
    assert losses[0] < 1e-6 < losses[1]


def test_gated_crf_refuses_other_sizes():
    inside = torch.ones(1, 4, 4, dtype=torch.bool)
    with pytest.raises(InputError, match="height and width must be the same"):
        gated_crf_loss(torch.rand(1, 2, 4, 4), torch.rand(1, 3, 4, 5), inside)
    with pytest.raises(InputError, match="radius is 0"):
        gated_crf_loss(torch.rand(1, 2, 4, 4), torch.rand(1, 3, 4, 4), inside, radius=0)
