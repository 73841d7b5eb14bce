"""What may fail does not pass the type checker where nothing may: one call of pyright for all snippets."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

LADDER = """\
from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.contract import Floor, Made, PromptRung, Rung
from engine.conductor.makers.ladder import Ladder
from engine.form.plan import Plan
from engine.runtime.rules import LocalRules, StandIns
from engine.runtime.workers.workers import Workers

def right(workers: Workers, plan: Plan) -> Conductor:
    return Conductor(plan, Ladder([workers, LocalRules()], StandIns()), print, FastClock())

def fallible_floor(workers: Workers) -> Ladder:
    return Ladder([workers], LocalRules())  # wrong

def infallible_rung() -> Ladder:
    return Ladder([StandIns()], StandIns())  # wrong

def fallible_conductor(workers: Workers, plan: Plan) -> Conductor:
    return Conductor(plan, workers, print, FastClock())  # wrong

def bare_floor(plan: Plan) -> Conductor:
    return Conductor(plan, StandIns(), print, FastClock())  # wrong
"""

CHAIN = """\
from engine.outputs.chain import Chain
from engine.outputs.contract import InfallibleOutput, Output
from engine.outputs.devices.device import DeviceOutput
from engine.outputs.null import NullOutput
from engine.outputs.files.recording import WavOutput
from engine.outputs.tee import Tee
from pathlib import Path

device = DeviceOutput(lambda format: None)
chain = Chain([device], NullOutput())
tee = Tee(chain, [WavOutput(Path("x.wav"))])
Chain([device], device)  # wrong
Chain([NullOutput()], NullOutput())  # wrong
Tee(device)  # wrong
Tee(chain, [chain])  # wrong
a: InfallibleOutput = device  # wrong
b: Output = chain  # wrong
"""

SNIPPETS = {"ladder.py": LADDER, "chain.py": CHAIN}


def test_the_type_checker_refuses_every_ladder_and_chain_that_may_fail_and_takes_those_that_may_not(tmp_path):
    for name, snippet in SNIPPETS.items():
        (tmp_path / name).write_text(snippet)
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps({"include": list(SNIPPETS), "extraPaths": [str(ROOT)], "pythonVersion": "3.11"})
    )
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=tmp_path)
    told = [one for one in json.loads(done.stdout)["generalDiagnostics"] if one["severity"] == "error"]
    for name, snippet in SNIPPETS.items():
        lines = {one["range"]["start"]["line"] for one in told if Path(one["file"]).name == name}
        assert lines == {place for place, line in enumerate(snippet.splitlines()) if line.endswith("# wrong")}, told
    assert {one["rule"] for one in told} == {"reportArgumentType", "reportAssignmentType"}
