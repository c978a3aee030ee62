"""What people read is short, its links lead somewhere, and its commands exist."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import numpy as np
import pytest
import yaml

from support.projects import ROOT

DOCS = ROOT / "docs"
STUDIES = sorted((DOCS / "studies").glob("*.md"))
GENERATED = {DOCS / "licences.md", DOCS / "modules.md", DOCS / "settings.md"}
USE = [ROOT / "README.md", *(page for page in sorted(DOCS.glob("*.md")) if page not in GENERATED)]
EVERY = [*USE, ROOT / "CONTRIBUTING.md", ROOT / "data" / "README.md", *STUDIES]
MOST_WORDS = 12_000
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Kedro's own, and its plugins'.
OTHERS = {"viz", "registry"}


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"(?m)^#+ (.*)$", text(page))
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).strip() for heading in headings]
    return {re.sub(r"[ -]+", "-", heading) for heading in plain}


def links(page: Path) -> list[tuple[Path, str]]:
    """The files that a page links to, and the heading in them."""
    found = []
    for target in LINK.findall(text(page)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, heading = target.partition("#")
        found.append(((page.parent / path).resolve() if path else page, heading))
    return found


def commands(page: Path) -> list[str]:
    """What is typed on a page: indented lines, and code in a sentence."""
    body = re.sub(r"\\\n\s+", " ", text(page))
    lines = re.findall(r"(?m)^ {4,}(?:\S+: +)?((?:kedro|make|python) .*)$", body)
    inline = re.findall(r"`((?:kedro|make|python) [^`\n]+)`", body)
    return [re.split(r"\s+#|;", command)[0].strip() for command in [*lines, *inline]]


def every_command(program: str) -> list[tuple[str, list[str]]]:
    pages = [*USE, ROOT / "CONTRIBUTING.md"]
    typed = [(page.name, shlex.split(command)) for page in pages for command in commands(page)]
    return [(name, words[1:]) for name, words in typed if words[0] == program]


def test_people_read_at_most_twelve_thousand_words() -> None:
    words = {page.name: len(text(page).split()) for page in USE}
    assert sum(words.values()) <= MOST_WORDS, dict(sorted(words.items(), key=lambda item: -item[1]))


def test_the_comparison_with_other_tools_stays_short() -> None:
    assert len(text(DOCS / "other_tools.md").split()) < 900


@pytest.mark.parametrize("page", EVERY, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    missing = [str(target) for target, _ in links(page) if not target.exists() and target not in GENERATED]
    assert missing == []
    lost = [
        f"{target.name}#{heading}"
        for target, heading in links(page)
        if heading and target.suffix == ".md" and target.exists() and heading not in anchors(target)
    ]
    assert lost == []


def test_every_page_is_in_the_navigation_and_within_two_clicks_of_the_start() -> None:
    pages = {DOCS / "index.md"}
    for _ in range(2):
        pages |= {target for page in pages if page.exists() for target, _ in links(page) if target.suffix == ".md"}
    assert {page.name for page in USE[1:]} - {page.name for page in pages} == set()
    navigation = text(ROOT / "mkdocs.yml")
    published = [*USE[1:], *GENERATED, *STUDIES]
    assert [page.name for page in published if str(page.relative_to(DOCS)) not in navigation] == []


def test_pictures_are_small_and_shown_somewhere() -> None:
    pictures = sorted((DOCS / "images").iterdir())
    assert [picture.name for picture in pictures if picture.stat().st_size >= 150_000] == []
    shown = "".join(map(text, EVERY))
    assert [picture.name for picture in pictures if picture.name not in shown] == []


def test_every_target_of_make_is_in_the_makefile() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", text(ROOT / "Makefile")))
    typed = {(name, words[0]) for name, words in every_command("make")}
    assert len(typed) > 10
    assert {(name, target) for name, target in typed if target not in targets} == set()


def test_every_script_is_there() -> None:
    scripts = {words[0] for _, words in every_command("python") if words[0].endswith(".py")}
    assert {script for script in scripts if not (ROOT / script).exists()} == set()
    assert "benchmarks/gpu.py" in scripts


@cache
def pipelines() -> set[str]:
    from pt4al.pipeline_registry import register_pipelines

    return set(register_pipelines())


def known(setting: str) -> bool:
    block = yaml.safe_load(text(ROOT / "conf/base/parameters.yml"))
    for step in setting.split("."):
        if block == {}:  # whose keys are a person's own
            return True
        if not isinstance(block, dict) or step not in block:
            return False
        block = block[step]
    return True


def wrong(words: list[str]) -> list[str]:
    """What is unknown in the words after `kedro run`."""
    found = []
    for word in words:
        option, _, value = word.partition("=")
        if option == "--env":
            fits = "<" in value or (ROOT / "conf" / value).is_dir()
        elif option == "--pipelines":
            fits = set(value.split(",")) <= pipelines()
        else:
            settings = [part.split("=")[0] for part in value.split(",") if "=" in part]
            fits = option == "--params" and all(map(known, settings))
        if not fits:
            found.append(word)
    return found


def test_every_run_names_pipelines_environments_and_settings_that_exist() -> None:
    runs = [(name, words[1:]) for name, words in every_command("kedro") if words[0] == "run"]
    assert len(runs) > 20
    assert [(name, wrong(words)) for name, words in runs if wrong(words)] == []


def test_every_other_command_of_kedro_exists_with_its_options() -> None:
    from pt4al.project.cli.commands import cli

    context = click.Context(cli)
    unknown = []
    for name, words in every_command("kedro"):
        if words[0] in OTHERS | {"run"}:
            continue
        command = cli.get_command(context, words[0])
        rest = words[1:]
        if command is not None and rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest[0]]
        options = {"--help"}
        if command is not None:
            options |= {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
        typed = {word.split("=")[0] for word in rest if word.startswith("--")}
        if command is None or typed - options:
            unknown.append((name, words))
    assert unknown == []


def test_no_page_names_an_option_that_kedro_has_deprecated() -> None:
    pages = [page.name for page in EVERY if re.search(r"kedro run[^`\n]*--pipeline[= ]", text(page))]
    assert pages == []


def test_the_strategy_on_its_page_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import dataclass
    from typing import ClassVar

    from pt4al.selection.evidence import Evidence

    block = text(DOCS / "strategies.md").split("## Add your own")[1]
    code = "\n".join(line[4:] for line in block.splitlines() if line.startswith("    "))
    names = {"dataclass": dataclass, "ClassVar": ClassVar, "Evidence": Evidence, "np": np, "__name__": "page"}
    exec(compile(code, "docs/strategies.md", "exec"), names)
    features = np.array([[0.0], [4.0], [5.0], [11.0]])
    zeros = np.zeros(4)
    evidence = Evidence(2, np.random.default_rng(0), 0, 3, zeros.astype(int), zeros, features=features)
    assert names["Nearest"]().choose(evidence).tolist() == [2, 1]


def test_the_list_of_modules_has_every_module_that_says_what_it_is_for() -> None:
    sys.path.insert(0, str(DOCS))
    try:
        from generate_modules import page
    finally:
        sys.path.remove(str(DOCS))
    listed = page()
    assert "## pt4al.selection.strategies\n" in listed
    assert "| `top` | Strategy `top`: the candidates that the measure ranks highest. |" in listed
    modules = [file for file in (ROOT / "src").rglob("*.py") if file.stem != "__init__"]
    assert [file.name for file in modules if f"| `{file.stem}` |" not in listed] == []


def test_a_link_out_of_the_docs_becomes_the_files_path_and_a_lost_one_ends_the_build() -> None:
    sys.path.insert(0, str(DOCS))
    try:
        from repository_links import on_page_markdown
    finally:
        sys.path.remove(str(DOCS))

    class Page:
        class file:
            src_uri = "studies/benchmarks.md"

    config = {"docs_dir": str(DOCS)}
    shown = on_page_markdown("[dvc.yaml](../../dvc.yaml), [data](../../data/README.md), [a](../gpu.md)", Page, config)
    assert shown == "`dvc.yaml`, data (`data/README.md`), [a](../gpu.md)"
    with pytest.raises(FileNotFoundError, match=r"\.\./\.\./gone\.md"):
        on_page_markdown("[gone](../../gone.md)", Page, config)


@pytest.mark.external
def test_the_site_is_built_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    mkdocs = ROOT / ".venv-docs" / "bin" / "mkdocs"
    if not mkdocs.exists():
        pytest.skip("make docs has not been typed here")
    for name in ("settings", "modules"):
        subprocess.run([sys.executable, f"docs/generate_{name}.py", f"docs/{name}.md"], cwd=ROOT, check=True)
    subprocess.run([mkdocs, "build", "--strict", "--quiet", "--site-dir", tmp_path], cwd=ROOT, check=True)
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > 20
    loads = r"<(?:script|link|img|iframe|source|video|audio)\b[^>]*?(?:src|href)=[\"']?(?:https?:)?//[^\"' >]*"
    assert [(page.name, found) for page in pages for found in re.findall(loads, text(page))] == []
    styles = "".join(map(text, tmp_path.rglob("*.css")))
    assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)\"']*", styles) == []
