import pytest

from saccade.experiments.engine.report import verdict

NAN = float("nan")


@pytest.mark.parametrize(
    ("difference", "error", "count", "expected"),
    [
        (0.03, 0.01, 30, "holds"),
        (-0.03, 0.01, 30, "reversed"),
        (0.01, 0.01, 30, "within noise (same sign)"),
        (-0.01, 0.01, 30, "within noise (reversed)"),
        (0.03, 0.01, 3, "within noise (same sign)"),  # t is 4.3 for three images
        (0.05, 0.01, 3, "holds"),
        (0.0, 0.0, 3, "within noise (reversed)"),
        (0.01, NAN, 1, "one image (same sign)"),
        (-0.2, NAN, 1, "one image (reversed)"),
        (NAN, NAN, 0, "not measured"),
    ],
)
def test_a_verdict_is_students_t_at_95_percent(difference, error, count, expected):
    assert verdict(difference, error, count, of="image") == expected
