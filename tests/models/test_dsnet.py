import torch

from saccade.models.dsnet import DSNetHead

WIDTH = 6


def parts(head, maps):
    """X(M), X(S) and X(ASPP) of the result, in the paper's order."""
    return head(maps).split(WIDTH, 1)


def made(guide="aspp"):
    torch.manual_seed(0)
    head = DSNetHead({3: 5, 5: 7}, width=WIDTH, guide=guide).eval()
    maps = {3: torch.rand(1, 5, 12, 14), 5: torch.rand(1, 7, 6, 7)}
    return head, maps


def test_the_middle_part_is_what_cgds_samples_of_the_modified_features():
    head, maps = made()
    modified, sampled, context = parts(head, maps)
    torch.testing.assert_close(modified, head.modify(maps[3]))
    expected = head.sample(head.modify(maps[3]), head.context(maps[5]))
    torch.testing.assert_close(sampled, expected)
    assert not torch.allclose(sampled, modified)
    assert context.shape == modified.shape


def test_the_guiding_context_decides_where_low_features_are_sampled():
    for guide in ("aspp", "x5"):
        head, maps = made(guide)
        before = parts(head, maps)
        with torch.no_grad():
            for parameter in head.sample.sampling.parameters():
                parameter.normal_(0, 0.5)
        moved = parts(head, maps)
        assert not torch.allclose(before[1], moved[1])
        for place in (0, 2):
            torch.testing.assert_close(before[place], moved[place])
        other = parts(head, {**maps, 5: maps[5].flip(3)})
        assert not torch.allclose(other[1], moved[1])
        torch.testing.assert_close(other[0], moved[0])
