"""Files that are pushed: what takes whose place, what is refused, and that a bad one changes nothing."""

import os
import threading
from dataclasses import is_dataclass, replace
from typing import get_args, get_type_hints

import pytest

from engine import assets
from engine.errors import PerpetuumError
from engine.fleet.messages import (
    LARGEST_FILE,
    VERSION,
    CommandAnswer,
    FoundProblem,
    Outcome,
    Push,
    PushedFile,
    SteeringCommand,
    write_message,
)
from engine.installation.choices.secret import Secret
from engine.installation.choices.steering import SteeringRight
from engine.installation.installation import Installation
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.steering.messages import AskAnswered
from engine.installation.loading import read_installation
from engine.installation.steered import memory
from engine.installation.steered.checking import CheckFile, FileChecked, check_elsewhere, check_pushed
from engine.installation.steered.commands import SteeringCommands
from engine.installation.steered.memory import NAME, DoneCommands
from engine.installation.steered.pushing import ONLY_HERE, RefusedFileError, TakenFile, take_file
from tests.installation.making import SMALL, entry, programme

HEAD = "perpetuum: 1\ntitle: Here\nscenes: {small: }\nmqtt: {broker: localhost}\n"


@pytest.fixture
def here(tmp_path):
    """An installation that runs, and its folder."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "small.yaml").write_text(SMALL)
    (folder / "here.yaml").write_text(HEAD)
    found, diagnostics = read_installation(folder / "here.yaml")
    assert found is not None, diagnostics
    return found


def of_installation(text):
    return PushedFile(Push.INSTALLATION, text)


def of_scene(text, name="small"):
    return PushedFile(Push.SCENE, text, name)


def take(file, here):
    return take_file(file, here, check_pushed)


def lie(here):
    """What lies in the folder, by name."""
    return {one.name: one.read_text() for one in here.path.parent.iterdir()}


def test_an_installation_file_takes_the_place_of_the_one_that_runs(here):
    taken = take(of_installation(HEAD + "order: random\n"), here)
    assert lie(here) == {
        "here.yaml": HEAD + "order: random\n",
        "here.yaml.before": HEAD,
        "small.yaml": SMALL,
    }
    assert taken.what == "installation"
    assert "here.yaml.before" in taken.text
    assert "so already" in take(of_installation(HEAD + "order: random\n"), here).text
    assert lie(here)["here.yaml.before"] == HEAD


def test_a_scene_that_is_shipped_is_hidden_by_the_pushed_one_beside_the_installation(here):
    shipped = entry("still_water")
    shipped = replace(shipped, file=assets.find("scenes", "still_water").absolute())
    runs = replace(here, programme=programme(shipped))
    take(of_scene(SMALL, "still_water"), runs)
    assert lie(here)["still_water.yaml"] == SMALL
    assert assets.find("scenes", "still_water", beside=here.path.parent) == here.path.parent / "still_water.yaml"


def test_a_scene_that_nothing_names_yet_is_kept_for_the_installation_file_that_will(here):
    assert "no scene of the programme is called new" in take(of_scene(SMALL, "new"), here).text
    taken = take(of_installation(HEAD.replace("{small: }", "{small: , new: }")), here)
    assert taken.what == "installation"


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (of_installation(HEAD.replace("localhost", "elsewhere.example")), "`mqtt` can only be changed on the player"),
        (of_installation(HEAD.replace("mqtt: {broker: localhost}\n", "")), "`mqtt`"),
        (of_installation(HEAD + "amplifier: {switch_on: reboot, switch_off: reboot}\n"), "`amplifier`"),
        (of_installation(HEAD + "ups: {check: reboot}\n"), "`ups`"),
        (of_installation(HEAD + "listen: {health: '0.0.0.0:80'}\nstate: elsewhere\n"), "`listen`, `state`"),
        (of_installation(HEAD + "pool: {hosts: ['https://mine.example'], token: {file: /etc/passwd}}\n"), "`pool`"),
        (of_installation(HEAD + "notices: {webhook: {env: PERPETUUM_WEBHOOK}}\n"), "`notices`"),
        (of_installation(HEAD + "alarm: {http: false}\n"), "`alarm`"),
        (of_installation(HEAD + "scenez: 1\n"), "is not valid"),
        (of_installation(SMALL), "this is no installation"),
        (of_installation(HEAD + "#" * LARGEST_FILE), "are taken at most"),
        (of_installation(HEAD + "# \ud800\n"), "is no text"),
        (of_installation(""), "this is no installation"),
        (of_scene(HEAD), "this is no scene"),
        (of_scene(SMALL.replace("C major", "H major")), "is not valid"),
        (of_scene("{" * 500), "is not valid"),
        (of_scene(SMALL, ""), "under the name"),
        (of_scene(SMALL, "here"), "is the installation file"),
    ],
)
def test_what_is_refused_changes_nothing(here, file, why):
    before = lie(here)
    with pytest.raises(RefusedFileError, match=why):
        take(file, here)
    assert lie(here) == before


def test_what_is_wrong_is_told_with_its_place(here):
    with pytest.raises(RefusedFileError) as refused:
        take(of_scene(SMALL.replace("C major", "H major").replace("chord_walk", "chord_wlak")), here)
    assert [(one.line, one.error) for one in refused.value.found] == [(4, True), (5, True)]
    assert all(one.file == str(here.path.parent / "small.yaml") for one in refused.value.found)
    assert "did you mean `chord_walk`" in refused.value.found[1].text


def test_a_scene_of_another_folder_is_changed_there_alone(here, tmp_path):
    elsewhere = replace(entry("far"), file=tmp_path / "far.yaml")
    with pytest.raises(RefusedFileError, match="does not lie beside"):
        take(of_scene(SMALL, "far"), replace(here, programme=programme(elsewhere)))


@pytest.mark.parametrize("hostile", ["folder", "fifo", "socket"])
def test_what_is_no_file_is_replaced_by_none(here, hostile):
    place = here.path.parent / "new.yaml"
    if hostile == "folder":
        place.mkdir()
    elif hostile == "fifo":
        os.mkfifo(place)
    else:
        os.mknod(place, 0o140600)
    with pytest.raises(PerpetuumError, match=r"new\.yaml"):
        take(of_scene(SMALL, "new"), here)


def test_a_file_that_cannot_be_checked_is_not_taken(here):
    """A process that hangs is ended; one that dies says its last words."""
    asked = CheckFile(str(here.path), HEAD.encode())
    with pytest.raises(PerpetuumError, match="could not be checked within"):
        check_elsewhere(asked, patience=0.0)


def test_a_check_says_no_more_than_an_answer_holds(here):
    wrong = "".join(f"key{number}: 1\n" for number in range(150))
    checked = check_pushed(CheckFile(str(here.path), (HEAD + wrong).encode()))
    assert isinstance(checked, FileChecked)
    assert (len(checked.found), checked.more, checked.valid) == (50, 100, False)


def answer(number, **more):
    return CommandAnswer(VERSION, f"test-{number:06d}", Outcome.DONE, "done", **more)


def test_what_was_done_is_known_after_a_restart_and_no_more_is_remembered_than_so_much(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MOST", 5)
    done = DoneCommands(StateFolder(tmp_path))
    found = tuple(FoundProblem("x.yaml", 1, 1, True, "y" * 1500) for _ in range(50))
    for number in range(5 + 3):
        done.remember(answer(number, found=found))
    again = DoneCommands(StateFolder(tmp_path))
    assert again.answer("test-000002") is None
    assert again.answer("test-000003") == answer(3, more=50)
    assert (tmp_path / NAME).stat().st_size < 5 * 3000


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'[{"id": 3}]', b"\xff", b"[" * 5000])
def test_whatever_else_lies_in_the_file_counts_as_nothing(tmp_path, text):
    (tmp_path / NAME).write_bytes(text)
    done = DoneCommands(StateFolder(tmp_path))
    done.remember(answer(1))
    assert DoneCommands(StateFolder(tmp_path)).answer("test-000001") == answer(1)


def test_a_disk_that_takes_nothing_costs_no_command(tmp_path):
    done = DoneCommands(StateFolder(tmp_path / "nowhere"))
    done.remember(answer(1))
    assert done.answer("test-000001") == answer(1)


def test_silence_waits_for_no_file_that_is_being_checked(tmp_path):
    """A check takes seconds, and minutes on a small machine."""
    checking, asked, answers = threading.Event(), threading.Event(), []

    def check(file):
        checking.set()
        assert asked.wait(60)
        return TakenFile("scene small", "taken", (), 0)

    def ask(command, line, who):
        return AskAnswered(command, True, line)

    rights = (SteeringRight.PUSH_SCENES, SteeringRight.MUTE)
    commands = SteeringCommands(rights, DoneCommands(StateFolder(tmp_path)), ask, check)
    push = write_message(SteeringCommand(VERSION, "test-push", push=of_scene(SMALL)))
    thread = threading.Thread(target=lambda: answers.append(commands.take(push, False)))
    thread.start()
    assert checking.wait(60)
    mute = write_message(SteeringCommand(VERSION, "test-mute", "mute"))
    assert commands.take(mute, False).outcome is Outcome.DONE
    asked.set()
    thread.join()
    assert [one.text for one in answers] == ["taken; it is being read"]


def test_a_scene_takes_no_place_of_another_installation_in_the_same_folder(here):
    (here.path.parent / "tower.yaml").write_text(HEAD)
    with pytest.raises(RefusedFileError, match="is no scene"):
        take(of_scene(SMALL, "tower"), here)
    assert lie(here)["tower.yaml"] == HEAD
    take(of_scene(SMALL, "new"), here)
    take(of_scene(SMALL + "# again\n", "new"), here)
    assert lie(here)["new.yaml"].endswith("# again\n")


def test_whatever_holds_a_secret_can_only_be_changed_on_the_player_itself():
    """Where the secret goes stands beside it: who changes that has it sent to themselves."""

    def holds(kind, seen):
        if kind is Secret:
            return True
        inner = list(get_args(kind))
        if is_dataclass(kind) and kind not in seen:
            seen.add(kind)
            inner += get_type_hints(kind).values()
        return any(holds(one, seen) for one in inner)

    hints = get_type_hints(Installation)
    held = {name for name, kind in hints.items() if holds(kind, set())}
    assert {"pool", "notices", "steering", "listening"} <= held
    assert held <= set(ONLY_HERE)
