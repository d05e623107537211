"""MkDocs hooks: the command line's reference from its help, links out of docs/ as text."""

import os
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND_LINE = "reference/command-line.md"
LINK = re.compile(r"(?<!!)\[([^]]+)\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Complete a page before it becomes HTML."""
    source = page.file.src_uri
    if source == COMMAND_LINE:
        markdown += "\n" + command_line()
    return without_outer_links(markdown, source)


def without_outer_links(markdown: str, source: str) -> str:
    """Links to files of the repository outside of docs/ keep their text: the site has no such page.

    A link to a file that does not exist is left alone, so ``mkdocs build --strict`` refuses it.
    """

    def replace(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(ROOT / "docs" / Path(source).parent / match[2]))
        outside = ROOT / "docs" not in (target, *target.parents)
        if not outside or not target.exists():
            return match[0]
        text, path = match[1], target.relative_to(ROOT).as_posix()
        return text if path in text else f"{text} (`{path}`)"

    return LINK.sub(replace, markdown)


def command_line() -> str:
    """Markdown of all verbs of ``saccade``, as their ``--help`` has them."""
    import typer

    from saccade.cli.app import app

    return "\n".join(_section(typer.main.get_command(app), "saccade"))


def _section(command: Any, name: str) -> list[str]:
    """One verb, or all verbs of a group."""
    if hasattr(command, "commands"):
        visible = {verb: c for verb, c in command.commands.items() if not c.hidden}
        intro = [f"## {name}", "", _prose(command.help), ""] if " " in name else []
        return [*intro, *(s for verb, c in visible.items() for s in _section(c, f"{name} {verb}"))]
    context = command.context_class(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"## {name}", "", "```text", usage, "```", "", _prose(command.help), ""]
    for kind, title in (("argument", "Argument"), ("option", "Option")):
        rows = [
            record
            for p in command.get_params(context)
            if p.param_type_name == kind and (record := p.get_help_record(context)) is not None
        ]
        if rows:
            lines += [f"| {title} | |", "| --- | --- |"]
            lines += [f"| {_code(names)} | {_cell(text)} |" for names, text in rows] + [""]
    return lines


def _prose(text: str | None) -> str:
    """Help text as paragraphs; what follows a form feed is not for the reader."""
    return _escaped((text or "").split("\f")[0]).strip()


def _code(text: str) -> str:
    return f"`{text}`"  # a | in code does not end a cell


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", "\\|").replace("  [", " [")


def _escaped(text: str) -> str:
    """Markdown that shows ``text`` as it is."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([*_\[\]`])", r"\\\1", text)
