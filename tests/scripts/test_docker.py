"""The image's recipe: what it promises, and that all that it copies is there."""

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.docker.steps import Settings, Stage, Step, as_list, read_stages

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


@pytest.fixture(scope="module")
def stages():
    return read_stages(DOCKER / "Dockerfile")


def texts(stage, name):
    """What follows each instruction of a name."""
    return [step.text for step in stage.steps if step.name == name]


def test_instructions_are_read_with_comments_and_continued_lines(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text("# a\nARG A=1\nFROM x AS y\nRUN a \\\n    # b\n    && c\nFROM z\n", "utf-8")
    assert read_stages(path) == (
        Stage("x", "y", (Step("RUN", "a     && c"),)),
        Stage("z", ""),
    )
    path.write_text("FROM x\nONBUILD RUN a\n", "utf-8")
    with pytest.raises(ValueError, match="ONBUILD is not known here"):
        read_stages(path)


def test_variables_are_those_that_were_set():
    settings = Settings({"PATH": "/bin"}, {"A": "1"})
    assert settings.expanded("/opt:$PATH:${A}$B") == "/opt:/bin:1"


def test_what_runs_is_no_root_and_is_watched(stages):
    last = stages[-1]
    (user,) = texts(last, "USER")
    assert int(user.split(":")[0]) > 0
    steps = [step.name for step in last.steps]
    assert "RUN" not in steps[steps.index("USER") :]
    (health,) = texts(last, "HEALTHCHECK")
    code = as_list(health)[2]
    compile(code, "healthcheck", "exec")
    port = as_list(texts(last, "CMD")[0])[-1]
    assert f":{port}/api/health" in code
    assert texts(last, "EXPOSE") == [port]


def test_what_it_starts_is_a_command_of_saccade(stages):
    import typer

    from saccade.cli.app import app

    words = as_list(texts(stages[-1], "CMD")[0])
    verb = typer.main.get_command(app).commands[words[0]]
    options = {name for parameter in verb.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    assert as_list(texts(stages[-1], "ENTRYPOINT")[0]) == ["saccade"]


def test_what_is_copied_is_there_and_not_ignored(stages):
    let_in = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert let_in[0] == "*"
    for stage in stages:
        for text in texts(stage, "COPY"):
            sources = text.split()[:-1]
            if sources[0].startswith("--from="):
                assert sources[0].removeprefix("--from=") in {one.name for one in stages}
                continue
            for source in sources:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in let_in


def test_no_address_of_an_index_is_in_it():
    for path in DOCKER.iterdir():
        text = path.read_text("utf-8")
        for word in ("https://", "index-url http", "pypi", "whl/"):
            assert word not in text, path


def test_compose_starts_both_and_asks_for_what_it_needs():
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
    saccade, studio = found["services"]["saccade"], found["services"]["label-studio"]
    assert (DOCKER / saccade["build"]["context"] / saccade["build"]["dockerfile"]).is_file()
    assert all(port.startswith("127.0.0.1:") for port in saccade["ports"] + studio["ports"])
    assert "SACCADE_TOKEN:?" in saccade["environment"]["SACCADE_TOKEN"]
    assert studio["depends_on"]["saccade"]["condition"] == "service_healthy"
    named = {v.split(":")[0] for one in (saccade, studio) for v in one["volumes"] if v[0] != "$"}
    assert named == set(found["volumes"])


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no docker")
def test_docker_reads_the_compose_file():
    variables = {"SACCADE_TOKEN": "sesame", "PHOTOS": "photos", "PATH": "/usr/bin:/usr/local/bin"}
    command = ["docker", "compose", "-f", DOCKER / "compose.yaml", "config", "--quiet"]
    version = subprocess.run([*command[:2], "version"], capture_output=True, env=variables)
    if version.returncode:
        pytest.skip("docker has no compose")
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    del variables["SACCADE_TOKEN"]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert "a word that visitors must have" in done.stderr
