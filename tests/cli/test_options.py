"""The command line has one voice: an option means and reads the same in all verbs."""

from collections import defaultdict

import pytest
import typer
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.cli.options import RENAMED
from tests.cli.conftest import tree

OTHERWISE = {
    ("export", "--output"): "a file, not a folder",
    ("fit", "--output"): "a file, not a folder",
    ("segment", "--output"): "may be in a store",
    ("predict", "--output"): "may be in a store",
    ("pseudo-label", "--output"): "may be in a store",
    ("check-data", "--output"): "for a picture only, so it may be missing",
    ("localize", "--epochs"): "a default of its own; tables have those of their papers",
    ("localize", "--backbone"): "of one classifier, not of the networks of a table",
    ("localize", "--weights"): "has no 'auto'",
    ("localize", "--device"): "training takes the first GPU",
    ("experiment figure", "--device"): "training takes the first GPU",
    ("experiment network", "--device"): "training takes the first GPU",
    ("experiment table", "--preset"): "for tables on single images, which are of the paper",
    ("localize", "--crop"): "its own default, not a schedule's",
    ("localize", "--rows"): "of a picture, not of a table",
    ("pseudo-label", "--saliency"): "also names what OpenCV makes",
    ("label", "--model"): "masks by a model instead of a fit for each image",
    ("segment", "--model"): "all images get masks, those without strokes too",
    ("serve", "--model"): "to begin with; strokes improve it",
    ("segment", "--window"): "of intensities; predict and evaluate have windows that slide",
    ("fit", "--features"): "beside the bundled ones; a table has them instead",
    ("fit", "--window"): "of intensities, as that of segment",
    ("label", "--window"): "of intensities, as that of segment",
    ("pseudo-label", "--window"): "of intensities, as that of segment",
}
"""Options that differ from those of the same name, and why."""

NO_VALUE = ("--help", "--version", "--list")


def verbs(command=None, words=()):
    """All verbs, those of verbs too: (name, command)."""
    command = command or typer.main.get_command(app)
    for name, inner in getattr(command, "commands", {}).items():
        yield from verbs(inner, (*words, name))
    if words and not hasattr(command, "commands"):
        yield " ".join(words), command


def parameters(kind):
    """(verb, parameter) of all options or arguments that the help shows."""
    for verb, command in verbs():
        for parameter in command.params:
            shown = not getattr(parameter, "hidden", False)
            if parameter.param_type_name == kind and shown:
                yield verb, parameter


def long_name(option):
    return next(name for name in option.opts if name.startswith("--"))


def test_every_verb_option_and_argument_has_a_help_text():
    for verb, command in verbs():
        assert command.help, verb
    for kind in ("option", "argument"):
        for verb, parameter in parameters(kind):
            text = parameter.help or ""
            assert len(text.split()) > 1, (verb, parameter.name)
            assert not text.startswith(("Of ", "For ")), (verb, parameter.name, text)


def test_the_list_of_verbs_has_one_line_on_each():
    lines = CliRunner().invoke(app, ["--help"]).stdout.splitlines()
    listed = lines[lines.index("Commands:") + 1 :]
    assert len(listed) == len(typer.main.get_command(app).commands)
    assert not [line for line in listed if line.endswith("...")]


def test_every_option_with_a_value_names_its_kind():
    for verb, option in parameters("option"):
        if not getattr(option, "is_flag", False) and long_name(option) not in NO_VALUE:
            assert option.metavar, (verb, option.name)


def test_an_option_means_and_reads_the_same_in_all_verbs():
    found = defaultdict(set)
    for verb, option in parameters("option"):
        name = long_name(option)
        if (verb, name) not in OTHERWISE:
            found[name].add((option.metavar, option.help, option.param_type_name, str(option.opts)))
    assert {name: texts for name, texts in found.items() if len(texts) > 1} == {}


def test_defaults_of_an_option_are_of_one_type():
    found = defaultdict(set)
    for verb, option in parameters("option"):
        if (verb, long_name(option)) not in OTHERWISE and option.default is not None:
            found[long_name(option)].add(type(option.default))
    assert {name: types for name, types in found.items() if len(types) > 1} == {}


def test_exceptions_are_of_options_that_there_are():
    known = {(verb, long_name(option)) for verb, option in parameters("option")}
    assert set(OTHERWISE) <= known


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_names_of_old_are_hidden(old, new):
    shown = {name for _, option in parameters("option") for name in option.opts}
    assert new in shown
    assert old not in shown


def test_names_of_old_work_with_a_note(saccade_cli, pair, tmp_path):
    (tmp_path / "classes.txt").write_text("sky\ntree\n")
    result = saccade_cli(
        *("segment", *pair, "-o", tmp_path / "out", "--no-overlay"),
        f"--names={tmp_path / 'classes.txt'}",
    )
    assert result.exit_code == 0
    assert "note: --names is now --classes" in result.stderr
    assert tree(tmp_path / "out") == {"photo.png"}
    result = CliRunner().invoke(
        app, ["pseudo-label", "nowhere", "no", "-o", "x", "--processes", "2"]
    )
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "note: --processes is now --jobs",
        "error: nowhere: no such folder",
    ]


def test_an_option_that_a_verb_never_had_stays_unknown():
    result = CliRunner().invoke(app, ["train", "config.toml", "-o", "x", "--processes", "2"])
    assert result.exit_code == 2
    assert "--processes" in result.stderr
