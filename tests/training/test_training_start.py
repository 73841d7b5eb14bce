"""Facts about trainings that go on from weights, and about the precision that they compute with."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks.card import read_weights
from engine.networks.configs import CONFIGS
from engine.training.checkpoint import read_state
from engine.training.datasets import Dataset, DatasetPiece
from engine.training.defaults import complete
from engine.training.export import export
from engine.training.initial import read_start
from engine.training.machine import use_precision
from engine.training.run import prepare
from engine.training.settings import CardFile, TrainingFile
from engine.training.tasks.task import TrainingOptions
from engine.training.watching.watcher import Watchers
from tests.cli.weights import made_up
from tests.training.small_pieces import beats


def strokes() -> list[DatasetPiece]:
    """Grooves of four bars, all hats."""
    events = np.zeros((64, 27), np.float32)
    events[:, 2], events[:, 11] = 1.0, 0.5
    return [DatasetPiece(str(k), "s", split, events) for k, split in enumerate(("train", "train", "validation"))]


def completed(config: str, **given) -> TrainingOptions:
    pieces = strokes() if config.startswith("groovae") else beats()
    return complete(TrainingFile(config=config, **given), pieces, lambda: 2**34, lambda: False)[0]


def begun(options: TrainingOptions, pieces) -> dict[str, np.ndarray]:
    """The weights that a training begins with."""
    from engine.training.tasks.kinds import make_task

    return make_task(options, pieces).model.get_by_name()


@pytest.mark.models
@pytest.mark.parametrize(
    ("config", "other"),
    [("one_drum", "one_drum"), ("groovae_2bar_humanize", "groovae_2bar_tap_fixed_velocity")],
)
def test_a_training_goes_on_from_weights_also_of_another_config_of_their_shape(tmp_path, config, other):
    path = made_up(tmp_path, config)
    options = completed(other, start=str(path))
    weights = begun(options, strokes() if config.startswith("groovae") else beats())
    _, known = read_weights(path)
    assert set(weights) == set(known)
    for name, value in weights.items():
        np.testing.assert_array_equal(value, known[name])


def test_the_sizes_are_those_of_the_weights_unless_one_says_others(tmp_path):
    path = str(made_up(tmp_path, "one_drum"))
    assert completed("one_drum", start=path).sizes == {"layers": [12, 12]}
    assert completed("one_drum", start=path, sizes={"layers": [5]}).sizes == {"layers": (5,)}


def test_weights_that_are_not_there_or_do_not_fit_are_refused(tmp_path):
    with pytest.raises(PerpetuumError, match="start: no weights 'nobody'") as refusal:
        completed("one_drum", start="nobody")
    assert "drum_kit" in refusal.value.hint
    path = str(made_up(tmp_path, "one_drum"))
    with pytest.raises(PerpetuumError, match="is a network of drums_rnn, performance is one of performance_rnn"):
        completed("performance", start=path)
    for config, layers in (("one_drum", (5,)), ("drum_kit", (12, 12))):
        shapes = CONFIGS[config].default_layout(layers).shapes()
        with pytest.raises(PerpetuumError, match="does not fit this network"):
            read_start(path, {name: np.zeros(shape, np.float32) for name, shape in shapes.items()})


@pytest.fixture
def _float32_again():
    """TensorFlow keeps what it was told for the whole process."""
    yield
    use_precision("float32")


@pytest.mark.models
@pytest.mark.usefixtures("_float32_again")
def test_precision_and_start_are_kept_and_a_resumed_run_does_not_want_its_start_again(tmp_path):
    path, folder = made_up(tmp_path, "one_drum"), tmp_path / "run"
    dataset = Dataset(beats(), "drums")
    small = {"batch_size": 2, "steps": 32, "batches": 2, "evaluate_every": 1}
    given = TrainingFile(config="one_drum", precision="bfloat16", start=str(path), **small)
    run = prepare(folder, given, dataset, "tensorflow", 1)
    trainer = run.trainer(run.task(), folder, Watchers())
    losses = [trainer.train_step(), trainer.train_step()]
    trainer.evaluate()
    assert np.isfinite(losses).all()
    options = read_state(folder)["options"]
    assert (options["precision"], options["start"]) == ("bfloat16", str(path))
    card, _ = export(folder, run, dataset, tmp_path / "made.safetensors", CardFile(), judged=False)
    assert (card.trained["precision"], card.trained["start"]) == ("bfloat16", "one_drum.safetensors")
    path.unlink()
    again = prepare(folder, given, dataset, "tensorflow", 1)
    assert again.resumed
    assert again.trainer(again.task(), folder, Watchers()).step == 2
    with pytest.raises(PerpetuumError, match='precision "float32", it has "bfloat16"'):
        prepare(folder, given.model_copy(update={"precision": "float32"}), dataset, "tensorflow", 1)
