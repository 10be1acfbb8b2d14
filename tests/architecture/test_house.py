"""The house stands as DESIGN and pyproject say: who may import whom, what is packaged, what never happens."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from headscope.gui.window import export_dialog
from headscope.gui.window.actions import COMMANDS
from headscope.gui.window.views import VIEWS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = sorted(path for area in ("core", "gui", "resources") for path in (ROOT / area).rglob("*.py"))


def imported_names(path: Path) -> Iterator[str]:
    """Every module that `path` imports at run time, inside functions as well; what only the type checker sees is left out."""
    hidden: set[ast.AST] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            hidden.update(inner for statement in node.body for inner in ast.walk(statement))
    for node in ast.walk(tree):
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported_names(path)}


def area(name: str) -> list[Path]:
    return [path for path in SOURCES if path.is_relative_to(ROOT / name)]


@pytest.mark.parametrize("path", area("core"), ids=str)
def test_core_never_imports_qt_nor_gui(path: Path) -> None:
    assert not roots(path) & {"PySide6", "shiboken6", "pyqtgraph"}
    assert not [name for name in imported_names(path) if name.startswith("headscope.gui")]


@pytest.mark.parametrize("path", area("gui"), ids=str)
def test_gui_never_imports_torch_nor_transformers(path: Path) -> None:
    assert not roots(path) & {"torch", "transformers"}


@pytest.mark.parametrize("path", area("resources"), ids=str)
def test_resources_import_nothing_of_ours(path: Path) -> None:
    assert not [name for name in imported_names(path) if name.startswith(("headscope.core", "headscope.gui"))]


def test_every_folder_of_views_is_a_view_and_every_view_a_folder() -> None:
    folders = {path.parent.name for path in (ROOT / "gui" / "views").glob("*/__init__.py")}
    assert [view.id for view in VIEWS] == list(dict.fromkeys(view.id for view in VIEWS))
    assert {view.id for view in VIEWS} == folders
    for view in VIEWS:
        assert (ROOT / "gui" / "views" / view.id / "panel.py").is_file(), view.id
        assert view.keys and view.title and view.help.endswith("."), view.id


def test_ids_and_keys_of_commands_and_figures_are_unique() -> None:
    figures = [figure.id for view in VIEWS for figure in view.figures]
    assert len(set(figures)) == len(figures)
    assert not set(figures) & set(export_dialog._NUMBERS), "the dialog of the export offers both"
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    keys = [key for command in COMMANDS for key in command.keys.split() if command.id != "stop_presenting"]  # Esc is either's
    assert len(set(keys)) == len(keys)


def test_no_code_can_unpickle_or_run_a_models_own_code() -> None:
    for path in SOURCES:
        assert not roots(path) & {"pickle", "dill", "joblib", "cloudpickle"}, path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert keywords.get("trust_remote_code", "False") == "False", f"{path}:{node.lineno}"
            if called == "torch.load":
                assert keywords.get("weights_only") == "True", f"{path}:{node.lineno}"
            if called in {"np.load", "numpy.load"}:
                assert keywords.get("allow_pickle", "False") == "False", f"{path}:{node.lineno}"
            assert called not in {"eval", "exec"}, f"{path}:{node.lineno}"


TOLERANCES = ("allclose", "isclose", "is_close", "assert_close", "approx")
LIMITS = ("min", "max", "tiny")


@pytest.mark.parametrize("path", area("core"), ids=str)
def test_only_numerics_knows_tolerances(path: Path) -> None:
    """`finfo(…).min`, `.max` and `.tiny` hide a key, overflow and have a logarithm; every other number of a format allows something."""
    if path == ROOT / "core" / "numerics.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    limits = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in LIMITS}
    for node in ast.walk(tree):
        called = ast.unparse(node.func).rsplit(".", 1)[-1] if isinstance(node, ast.Call) else ""
        assert called not in TOLERANCES, f"{path}:{node.lineno}"
        assert called != "finfo" or id(node) in limits, f"{path}:{node.lineno}"
        if isinstance(node, ast.Name) and node.id.isupper():  # a constant
            assert not {"ROUNDING", "TOLERANCE", "EPS"} & set(node.id.split("_")), f"{path}:{node.lineno}"


def test_tests_take_small_tolerances_from_one_file() -> None:
    """What rounding explains stands in `tests/allowed.py`; pixels, printed digits and other coarse things may be literal.

    The defaults of numpy's and torch's comparisons are literals too, and somebody else's.
    """
    arguments = ("abs", "rel", "atol", "rtol", "abs_tol", "rel_tol")
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            tolerances = [keyword.value for keyword in node.keywords if keyword.arg in arguments]
            literals = [part.value for value in tolerances for part in ast.walk(value) if isinstance(part, ast.Constant)]
            assert not [each for each in literals if isinstance(each, float) and 0 < each < 1e-3], f"{path}:{node.lineno}"
            if ast.unparse(node.func).endswith(("testing.assert_allclose", "testing.assert_close")):
                assert tolerances, f"{path}:{node.lineno}"


def test_every_folder_with_code_is_packaged() -> None:
    folders = {f"headscope.{'.'.join(path.parent.relative_to(ROOT).parts)}" for path in SOURCES}
    assert folders == set(PROJECT["tool"]["setuptools"]["packages"])


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


LATER = ("torch", "transformers", "tokenizers", "accelerate", "pyqtgraph", "regex", "psutil", "filelock", "importlib.metadata")
"""What takes long to be imported, and is not needed for the first paint."""


def test_what_the_window_needs_does_not_import_torch() -> None:
    """The window is painted first; torch and transformers are imported by the lane afterwards, the rest when it is needed."""
    code = (
        "import sys; import headscope.core, headscope.core.job, headscope.core.models.examples, headscope.gui.window.main_window, headscope.gui.app.application;"
        f"print(sorted(set({LATER}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert done.stdout.strip() == "[]"


def test_a_file_that_compares_numbers_runs_on_every_machine() -> None:
    """`make test-machines` finds its files by where they take their tolerances from."""
    from tests.machines import numeric_tests

    assert {"tests/core/test_verify.py", "tests/core/test_direct_logit.py", "tests/golden/test_every_family.py"} <= set(
        numeric_tests()
    )
    assert "tests/core/test_download.py" not in numeric_tests()


def test_a_folder_imported_under_another_name_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", "import core"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "ImportError: import headscope.core" in done.stderr


def test_constraints_pin_every_requirement() -> None:
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    required = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["test"]]
    names = {requirement.split(";")[0].strip().split(">")[0].split("<")[0].strip().lower() for requirement in required}
    assert names <= pinned


MAY_MOVE = ("transformers.", "accelerate.", "huggingface_hub.file_download", "huggingface_hub._")
"""Beginnings of modules that are no public face."""
RENAMED = {"PretrainedConfig", "PreTrainedTokenizerFast", "PreTrainedTokenizer"}
"""What transformers keeps as another word for PreTrainedConfig, TokenizersBackend and PythonBackend."""
OF_TORCH_AND_PYTHON = {"_parameters", "_buffers", "_compiled_call_impl", "_exit"}
"""Of `nn.Module` and `os`."""


@cache
def own_names() -> frozenset[str]:
    """Every name that our own code defines or stores."""
    names: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
                names.add(node.attr)
    return frozenset(names)


def foreign_private(tree: ast.AST) -> Iterator[str]:
    """Attributes with a leading underscore that are not ours; asked for by name as well."""
    own = own_names() | OF_TORCH_AND_PYTHON
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else ""
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"getattr", "hasattr", "setattr", "delattr"}:
            asked = node.args[1]
            name = asked.value if isinstance(asked, ast.Constant) and isinstance(asked.value, str) else ""
        if name.startswith("_") and not name.startswith("__") and name not in own:
            yield name


@pytest.mark.parametrize("path", area("core"), ids=str)
def test_what_libraries_may_move_is_reached_through_one_file(path: Path) -> None:
    """`models/hub/compat.py` says what each such name is, and what does not work without it."""
    if path == ROOT / "core/models/hub/compat.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [name for name in imported_names(path) if name.startswith(MAY_MOVE)]
    named = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in named if text.startswith(MAY_MOVE) and " " not in text]
    assert not [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in RENAMED
    ]
    assert not list(foreign_private(tree))


# ---------------------------------------------------------------- requirements
def required(*requirements: str) -> set[str]:
    """The distributions of requirements, in small letters."""
    return {re.split(r"[^\w.-]", each, maxsplit=1)[0].lower().replace("-", "_") for each in requirements}


def undeclared(paths: list[Path], declared: set[str]) -> set[str]:
    """Modules that are imported, and that no declared distribution holds."""
    ours = {"headscope", "tests", "", "shiboken6"}  # the last one comes with PySide6
    modules = {root for path in paths for root in roots(path)} - set(sys.stdlib_module_names) - ours
    assert {"torch", "numpy"} <= modules
    known = packages_distributions()
    return {module for module in modules if not required(*known.get(module, [module])) & declared}


def test_what_is_imported_is_declared() -> None:
    always, extras = PROJECT["project"]["dependencies"], dict(PROJECT["project"]["optional-dependencies"])
    in_tests = extras.pop("test")
    assert not undeclared(SOURCES, required(*always, *(each for extra in extras.values() for each in extra)))
    tests = [path for path in (ROOT / "tests").rglob("*.py") if "benchmarks" not in path.parts]
    assert not undeclared(tests, required(*always, *in_tests))
