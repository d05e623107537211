from benchmarks.harness import timing


def test_calls_take_turns_in_alternating_order():
    seen = []
    calls = {name: lambda name=name: seen.append(name) or len(seen) for name in "ab"}
    found = timing.interleaved(calls, 2, warm=True)
    assert seen == ["a", "b", "a", "b", "b", "a"]
    assert [call.result for call in found["a"]] == [3, 6]
    assert all(call.seconds >= 0 for calls in found.values() for call in calls)
