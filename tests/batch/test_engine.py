import batch_workers as workers
import pytest

from saccade.batch import interruption, run_batch
from saccade.errors import InputError


def test_each_item_is_done_in_order_and_reported():
    reported, recorded = [], []
    outcome = run_batch(
        [1, 2],
        workers.squares,
        name=lambda number: f"item {number}",
        progress=lambda done, text: reported.append((done, text)),
        on_record=lambda item, record: recorded.append((item, record)),
    )
    assert outcome.done == outcome.records == {1: 1, 2: 4}
    assert reported == [(0.5, "item 1: half"), (1, "item 1"), (1.5, "item 2: half"), (2, "item 2")]
    assert recorded == [(1, 1), (2, 4)]
    assert (outcome.finished, outcome.untried, outcome.interrupted) == (2, 0, False)
    assert outcome.seconds > 0


def test_what_is_done_already_is_not_done_again():
    outcome = run_batch([1, 2, 3], workers.squares, already={2: 0}.get)
    assert outcome.already == {2: 0}
    assert outcome.done == {1: 1, 3: 9}
    assert list(outcome.records) == [1, 2, 3]


def test_no_worker_is_made_where_nothing_is_left():
    outcome = run_batch([1], workers.none, already=lambda item: item)
    assert outcome.already == {1: 1}


def test_an_item_that_fails_does_not_stop_the_others():
    outcome = run_batch([-1, 2, 0], workers.squares)
    assert outcome.failed == {-1: "-1: below 0"}
    assert outcome.done == {2: 4, 0: 0}
    assert outcome.finished == 3
    assert outcome.fatal is None


def test_a_check_that_fails_keeps_an_item_from_the_worker():
    def check(number):
        if number == 2:
            raise InputError("2: contradicts 1")

    outcome = run_batch([1, 2, 3], workers.squares, check=check)
    assert outcome.failed == {2: "2: contradicts 1"}
    assert outcome.done == {1: 1, 3: 9}


def test_a_full_disk_ends_the_loop():
    outcome = run_batch([1, 2, 3], workers.full)
    assert outcome.done == {1: 1}
    assert outcome.failed == {2: "out.png: No space left on device"}
    assert outcome.fatal is not None
    assert outcome.fatal.filename == "out.png"
    assert outcome.untried == 1


def test_a_setup_that_fails_is_raised():
    with pytest.raises(InputError, match="abacus"):
        run_batch([1], workers.none)


def test_ctrl_c_keeps_what_is_done():
    def interrupted():
        def work(number, report):
            if number == 3:
                raise KeyboardInterrupt
            return number

        return work

    outcome = run_batch([1, 2, 3, 4], interrupted, already={1: 1}.get)
    assert outcome.interrupted
    assert outcome.records == {1: 1, 2: 2}
    assert outcome.interruption.startswith("interrupted: 2 of 4 done; the same command goes on")


def test_an_interruption_names_its_unit():
    assert interruption(3, 40, "steps").startswith("interrupted: 3 of 40 steps done; ")
