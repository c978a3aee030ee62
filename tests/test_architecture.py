"""The house keeps its floors and rooms apart, and its code keeps to a few rules."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src" / "pt4al").rglob("*.py"))
LONGEST = 80  # lines of a function, its docstring included
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


GROUND = {"block", "errors", "masks", "randomness", "text"}  # modules that every room may use
MOST_PARAMETERS = 7


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The syntax tree of every module, by its path below src."""
    return {str(path.relative_to(ROOT / "src")): ast.parse(path.read_text()) for path in MODULES}


def nodes(trees: dict[str, ast.Module], *kinds: type) -> Iterator[tuple[str, ast.AST]]:
    """Yield (where, node) for every node of these kinds."""
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                yield f"{name}:{node.lineno}", node


def test_no_import_climbs_the_stairs_or_enters_another_room():
    """The contracts stand at the end of pyproject.toml; the message names the import that breaks one."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo", "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_printed(trees):
    calls = nodes(trees, ast.Call)
    assert [where for where, call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"] == []


def test_nothing_rests_on_an_assert_statement(trees):
    assert [where for where, _ in nodes(trees, ast.Assert)] == []


def test_no_state_is_global(trees):
    assert [where for where, _ in nodes(trees, ast.Global)] == []


def test_functions_are_short(trees):
    functions = nodes(trees, ast.FunctionDef, ast.AsyncFunctionDef)
    lengths = {f"{where} {function.name}": function.end_lineno - function.lineno + 1 for where, function in functions}
    assert {where: lines for where, lines in lengths.items() if lines > LONGEST} == {}


def test_few_modules_lie_loose_at_the_top():
    loose = {path.stem for path in (ROOT / "src" / "pt4al").glob("*.py")}
    assert loose <= {"__init__", "__main__", "cli", "settings", "pipeline_registry"} | GROUND


def test_no_function_has_a_long_list_of_parameters(trees):
    """More than seven means that something has no name yet: a state, a plan, a history."""
    functions = nodes(trees, ast.FunctionDef, ast.AsyncFunctionDef)
    counts = {f"{where} {function.name}": len(parameters(function)) for where, function in functions}
    assert {where: count for where, count in counts.items() if count > MOST_PARAMETERS} == {}


def test_assignments_are_not_packed(trees):
    assignments = [node for _, node in nodes(trees, ast.Assign, ast.AnnAssign, ast.AugAssign)]
    packed = [node for node in assignments if isinstance(node, ast.Assign) and is_packed(node)]
    assert len(packed) < 0.02 * len(assignments)


def test_lines_are_short():
    lines = [line for path in MODULES for line in path.read_text(encoding="utf-8").splitlines()]
    assert sum(len(line) > 100 for line in lines) < 0.02 * len(lines)


def test_what_is_public_is_documented(trees):
    public = {f"{name} {node.name}": ast.get_docstring(node) for name, tree in trees.items() for node in members(tree)}
    undocumented = [where for where, docstring in public.items() if not docstring]
    assert len(undocumented) < 0.05 * len(public), undocumented


def test_errors_carry_the_value_that_is_wrong(trees):
    raised = [(where, node) for where, node in nodes(trees, ast.Raise) if isinstance(node.exc, ast.Call)]
    bare = [where for where, node in raised if not carries_value(node.exc)]
    assert len(bare) < 0.1 * len(raised), bare


def test_every_module_says_what_it_is_for(trees):
    assert [name for name, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_every_module_is_named_after_what_it_holds(trees):
    assert [name for name in trees if VAGUE & set(Path(name).with_suffix("").parts)] == []


def test_no_text_file_is_read_or_written_in_the_locales_letters(trees):
    """A page that says UTF-8 has to be it, wherever it was made."""
    calls = [(where, call) for where, call in nodes(trees, ast.Call) if isinstance(call.func, ast.Attribute | ast.Name)]
    assert [where for where, call in calls if _is_text(call) and not _names_encoding(call)] == []


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return [argument.arg for argument in arguments if argument.arg not in ("self", "cls")]


def is_packed(node: ast.Assign) -> bool:
    return isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple)


def members(scope: ast.Module | ast.ClassDef) -> Iterator[ast.AST]:
    """Yield what is public of a module or class, and of its public classes."""
    for node in scope.body:
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if named and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from members(node)


def carries_value(call: ast.Call) -> bool:
    parts = [part for argument in call.args for part in ast.walk(argument)]
    return any(isinstance(part, ast.JoinedStr | ast.Name | ast.Attribute) for part in parts)


def _is_text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
    if name in ("read_text", "write_text"):
        return True
    modes = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    opens = name == "open" and not any(isinstance(mode, str) and ("b" in mode or ":" in mode) for mode in modes)
    return opens and ast.unparse(call.func) not in ("Image.open", "os.open", "gzip.open", "archive.open")


def _names_encoding(call: ast.Call) -> bool:
    named = any(keyword.arg == "encoding" for keyword in call.keywords)
    return named or any(isinstance(part, ast.Constant) and str(part.value).startswith("utf-8") for part in call.args)
