import re
import subprocess
import sys

from ruamel.yaml import YAML

from engine import assets
from engine.sound.contract import INSTRUMENTS


def test_checking_an_instrument_needs_no_pyo_and_no_sound_file_library():
    code = (
        "import sys, engine.sound.messages, engine.sound.settings, engine.sound.instruments.kinds\n"
        "import engine.sound.instruments.instrument_file\n"
        "print(sorted({'pyo', 'pyo64', 'soundfile', 'soxr', 'tensorflow', 'note_seq'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_loading_the_sound_prints_nothing_and_opens_no_window_toolkit():
    code = "import sys, engine.sound.core; sys.exit('tkinter' in sys.modules or 'wx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_example_in_the_readme_is_a_valid_instrument():
    text = (assets.shipped("instruments") / "README.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        document = YAML(typ="safe", pure=True).load(example)
        INSTRUMENTS.get(document["kind"]).settings.model_validate(document)
