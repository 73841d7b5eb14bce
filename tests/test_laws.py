"""Laws of the house that the import linter cannot see."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from engine.errors import PerpetuumError
from engine.generators.contract import GENERATORS, TRANSFORMS, GeneratorKind, Role, Settings
from engine.outputs.contract import OUTPUTS
from engine.registry import Registry
from engine.sound.contract import INSTRUMENTS

ENGINE = Path(__file__).resolve().parent.parent / "engine"

HEAVY = ("tensorflow", "keras", "pyo", "pyo64", "note_seq", "ray", "matplotlib", "scipy")


def imported_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*(m for m in {HEAVY!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_engine_imports_nothing_heavy():
    assert imported_by("import engine") == set()


def test_the_command_line_and_every_verb_import_nothing_heavy():
    """What `check` and the player need works on machines that have neither TensorFlow nor pictures."""
    statement = "from engine.cli import VERBS, module_of\nimport importlib\n"
    assert imported_by(statement + "for verb in VERBS: importlib.import_module(module_of(verb))") == set()


def test_every_kind_of_generator_transform_and_instrument_can_be_described_without_heavy_imports():
    statement = """
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.outputs.contract import OUTPUTS
from engine.sound.contract import INSTRUMENTS
for registry in (GENERATORS, TRANSFORMS, INSTRUMENTS, OUTPUTS):
    assert registry.kinds() and not registry.broken()"""
    assert imported_by(statement) == set()


def test_no_two_public_classes_share_a_name():
    """Who reads a name in a log, a metric or a stack trace knows which thing it is."""
    places = defaultdict(list)
    for path in sorted(ENGINE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(ENGINE)}:{node.lineno}")
    shared = {name: where for name, where in places.items() if len(where) > 1}
    assert shared == {}


def test_nothing_is_pickled_between_our_processes():
    """What comes from another process is checked, field by field, and never runs. Reading data sets is for itself:
    multiprocessing starts those processes, and nothing but their results is taken from them."""
    found = []
    for path in sorted(ENGINE.rglob("*.py")):
        name = str(path.relative_to(ENGINE))
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    modules = [alias.name for alias in names]
                case ast.ImportFrom(module=str(module), names=names):
                    modules = [module, *(f"{module}.{alias.name}" for alias in names)]
                case ast.Call(func=ast.Attribute(attr="recv"), args=[]):
                    modules = ["recv"]  # of a Connection: it unpickles
                case ast.Call(keywords=keywords):
                    allowed = [ast.unparse(one.value) for one in keywords if one.arg == "allow_pickle"]
                    modules = ["pickle" for value in allowed if value != "False"]
                case _:
                    continue
            words = {module.partition(".")[0] for module in modules}
            if words & {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib", "recv"}:
                found.append(f"{name}:{node.lineno}")
            if "multiprocessing" in words and not set(modules) <= CONNECTION:
                found.append(f"{name}:{node.lineno}")
    assert [place for place in found if not place.startswith("training/datasets/workers.py")] == []


CONNECTION = {"multiprocessing.connection", "multiprocessing.connection.Connection"}
"""Of multiprocessing only this is used, for `send_bytes` and `recv_bytes`."""


def test_no_main_thread_waits_at_a_simple_queue_for_a_while():
    """Of Python 3.11: where a signal's handler outlasts the time-out, `SimpleQueue.get` waits for ever."""
    threads_of_their_own = {"engine/logs/background.py"}  # where signals never come
    sources = {path.relative_to(ENGINE.parent).as_posix(): path.read_text() for path in ENGINE.rglob("*.py")}
    both = {name for name, text in sources.items() if "SimpleQueue" in text and "get(timeout=" in text}
    assert both == threads_of_their_own


def test_every_folder_of_python_files_is_a_package():
    """The import linter does not see a folder without `__init__.py`, and would hold none of the laws there."""
    folders = {path.parent for path in ENGINE.rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("registry", [GENERATORS, TRANSFORMS, INSTRUMENTS, OUTPUTS], ids=lambda one: one.noun)
def test_an_unknown_kind_is_told_with_what_is_near_to_it(registry):
    name = registry.names()[0]
    with pytest.raises(PerpetuumError, match=f"no {registry.noun} is called '{name}x'") as raised:
        registry.get(name + "x")
    assert f"did you mean {name}?" in raised.value.hint


def fake_packages(folder, entries: str, code: str = "") -> None:
    """A distribution that registers entry points of generators, and its module."""
    about = folder / "odd-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[perpetuum.generators]\n{entries}\n")
    (folder / "odd.py").write_text(code)


BROKEN = {
    "gone = nosuch_module:KIND": "does not load",
    "gone = odd:NOSUCH": "does not load",
    "leaves = odd_exit:KIND": "does not load",
    "thing = odd:THING": "is no GeneratorKind but int",
    "other = odd:DRUMS": "calls itself 'drum_rules'",
}


@pytest.mark.parametrize("entry", BROKEN)
def test_a_broken_plug_in_is_told_and_hides_nothing_else(entry, tmp_path, monkeypatch):
    fake_packages(tmp_path, entry, "from engine.generators.rules.drum_rules import DRUM_RULES as DRUMS\nTHING = 3\n")
    (tmp_path / "odd_exit.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "odd", raising=False)
    registry = Registry("perpetuum.generators", GeneratorKind, "generator")
    name = entry.partition(" ")[0]
    assert name in registry.names()
    with pytest.raises(PerpetuumError, match=BROKEN[entry]):
        registry.get(name)
    assert list(registry.broken()) == [name]
    assert registry.kinds().keys() >= {"drum_rules", "melody_rnn"}


def test_a_plug_in_does_not_take_the_place_of_a_built_in_kind(tmp_path, monkeypatch):
    fake_packages(tmp_path, "drum_rules = odd:KIND")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("perpetuum.generators", GeneratorKind, "generator")
    assert registry.get("drum_rules") is GENERATORS.get("drum_rules")
    assert not registry.broken()


def test_of_two_plug_ins_of_one_name_neither_is_taken(tmp_path, monkeypatch):
    for folder in ("one", "two"):
        fake_packages(tmp_path / folder, f"same = {folder}:KIND")
        about = tmp_path / folder / "odd-1.0.dist-info"
        about.rename(about.with_name(f"{folder}-1.0.dist-info"))
        metadata = tmp_path / folder / f"{folder}-1.0.dist-info" / "METADATA"
        metadata.write_text(metadata.read_text().replace("odd", folder))
        monkeypatch.syspath_prepend(tmp_path / folder)
    with pytest.raises(PerpetuumError, match="one:KIND and two:KIND"):
        Registry("perpetuum.generators", GeneratorKind, "generator").get("same")


def test_a_registry_with_a_further_kind_leaves_the_other_as_it_is():
    kind = GeneratorKind("mine", "", Settings, (Role.MELODY,), lambda settings: pytest.fail("nothing is built"))
    registry = GENERATORS.having(kind)
    assert registry.get("mine") is kind
    assert registry.get("drum_rules") is GENERATORS.get("drum_rules")
    assert "mine" not in GENERATORS.names()
