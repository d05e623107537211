import pytest
import torch

from saccade.models.scribble_net.gathering import gather, row_index
from tests.models.scribble_net.helpers import generator


@pytest.mark.parametrize(("rows", "reads"), [(1, 1), (1, 5), (7, 0), (7, 3), (50, 400)])
def test_rows_and_gradient_are_those_of_indexing(rows, reads):
    table = torch.randn(rows, 4, generator=generator(), requires_grad=True)
    index = torch.randint(rows, (reads,), generator=generator(1))
    upstream = torch.randn(reads, 4, generator=generator(2))
    found = gather(table, row_index(index, rows))
    assert torch.equal(found, table[index])
    (gradient,) = torch.autograd.grad(found, table, upstream)
    (expected,) = torch.autograd.grad(table[index], table, upstream)
    torch.testing.assert_close(gradient, expected)


def test_gradient_in_double_precision():
    table = torch.randn(5, 2, generator=generator(), dtype=torch.double, requires_grad=True)
    where = row_index(torch.tensor([4, 0, 0, 2, 4, 4]), 5)
    assert torch.autograd.gradcheck(lambda t: gather(t, where), table)


def test_an_upstream_gradient_of_any_layout_is_taken():
    table = torch.randn(6, 3, generator=generator(), requires_grad=True)
    found = gather(table, row_index(torch.tensor([1, 1, 5]), 6))
    found.sum().backward()  # an expanded gradient, without strides
    torch.testing.assert_close(table.grad[:, 0], torch.tensor([0.0, 2, 0, 0, 0, 1]))
