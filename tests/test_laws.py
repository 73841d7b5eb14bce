"""Laws of the house that the import linter cannot see."""

import subprocess
import sys

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
