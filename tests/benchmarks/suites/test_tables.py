import json

from benchmarks.suites import tables

ROW = {"stage": "fit", "operations": 2e6, "bytes": 3e6, "written_operations": 0.0}
ROW |= {"written_bytes": 0.0, "calls": 40, "seconds": 0.5}
PEAKS = {"operations": 1e9, "bytes": 1e9, "call": 1e-3}
LOWER_BOUND = {"cpu": PEAKS, "gpu": PEAKS, "thin": [ROW]}
PERFORMANCE = {
    "checks": [
        {"name": "a / b", "value": 0.5, "bound": 1.0, "unit": "", "verdict": "pass"},
        {"name": "memory", "value": 1234.5, "bound": 400.0, "unit": "MB", "verdict": "FAIL"},
        {"name": "other", "value": 2.0, "bound": None, "unit": "s", "verdict": ""},
    ]
}
SCALING = {
    "points": [
        {"axis": "classes", "size": 2, "method": "m", "seconds": 0.25, "scores": [0.5]},
        {"axis": "classes", "size": 4, "method": "m", "seconds": 1.0, "scores": [0.5]},
        {"axis": "megapixels", "size": 0.5, "method": "m", "seconds": 1.0, "scores": [0.5, 0.7]},
        {"axis": "megapixels", "size": 6, "method": "n", "seconds": 1.0, "scores": [0.5]},
    ]
}


def cells(table):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]


def test_checks_say_what_is_not_kept():
    assert cells(tables.checks(PERFORMANCE))[2:] == [
        ["a / b", "0.5", "1"],
        ["memory", "1,234 MB **not kept**", "400 MB"],
        ["other", "2 s", ""],
    ]


def test_lower_bound_by_hand():
    fit, total = cells(tables.lower_bound(LOWER_BOUND, "thin"))[2:]
    # 3 MB at 1 GB/s take longer than 2 Mop at 1 Gop/s; 40 calls of a millisecond
    assert fit == ["fit", "2", "3", "3", "500", "40", "3", "40"]
    assert total[1:] == fit[1:]


def test_seconds_leave_out_what_was_not_asked():
    assert cells(tables.seconds(SCALING, "classes")) == [
        ["classes", "2", "4"],
        ["---"] * 3,
        ["m", "0.25", "1"],
    ]
    assert cells(tables.scores(SCALING))[2:] == [["m", "0.600", ""], ["n", "", "0.500"]]


def test_page_is_rewritten_between_the_marks_only(tmp_path):
    results = tmp_path / "m"
    results.mkdir()
    (results / "performance.json").write_text(json.dumps(PERFORMANCE))
    page = tmp_path / "page.md"
    kept = "<!-- table classes -->\nold\n<!-- end -->"
    page.write_text(f"before\n<!-- table checks -->\nold\n<!-- end -->\nbetween\n{kept}\nafter\n")
    arguments = [str(page), "--out", str(tmp_path), "--machine", "m"]
    assert tables.main(arguments) == 0
    found = page.read_text()
    assert found.startswith("before\n<!-- table checks -->\n| ")
    assert "| memory |" in found
    assert found.endswith(f"<!-- end -->\nbetween\n{kept}\nafter\n")
    once = found
    assert tables.main(arguments) == 0
    assert page.read_text() == once
    (results / "scaling.json").write_text(json.dumps(SCALING))
    assert tables.main(arguments) == 0
    assert "| m | 0.25 | 1 |" in page.read_text()
