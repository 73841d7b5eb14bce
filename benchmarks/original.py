"""The original Magenta as a process that is told by lines of JSON what to load and to play; see `processes`.

Run as a script by the interpreter that Magenta 2.1.4 is installed for (Python 3.9 will do); imports nothing of ours.
Magenta's own public classes do everything that is timed: `SequenceGenerator.generate` and `TrainedModel.decode`.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import resource
import sys
import tarfile
import time
import zlib
from pathlib import Path

_replies = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # What libraries print must not get between the replies.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.pop(0)  # This folder, whose modules are not meant for this interpreter.

_started = time.perf_counter()
import note_seq  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

FAMILY = sys.argv[1]
"""What this process plays: only that is imported, as a user of it would."""
_MODULES = {
    "drums_rnn": ("drums_rnn_model", "drums_rnn_sequence_generator"),
    "melody_rnn": ("melody_rnn_model", "melody_rnn_sequence_generator"),
    "polyphony_rnn": ("polyphony_model", "polyphony_sequence_generator"),
    "performance_rnn": ("performance_model", "performance_sequence_generator"),
    "pianoroll_rnn_nade": ("pianoroll_rnn_nade_model", "pianoroll_rnn_nade_sequence_generator"),
}
if FAMILY == "music_vae":
    from magenta.models.music_vae import TrainedModel
    from magenta.models.music_vae import configs as music_vae_configs
else:
    model_module, generator_module = (
        importlib.import_module(f"magenta.models.{FAMILY}.{name}") for name in _MODULES[FAMILY]
    )
    from magenta.models.shared import events_rnn_graph, sequence_generator_bundle
    from note_seq.protobuf import generator_pb2

IMPORT_SECONDS = time.perf_counter() - _started

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)


class _Loglik(np.ndarray):
    """A vector that may be indexed like a column, which pianoroll_rnn_nade does by mistake in Magenta 2.1.4."""

    def __getitem__(self, key):
        return super().__getitem__(key[0] if isinstance(key, tuple) and self.ndim == 1 else key)


def _mend_pianoroll_rnn_nade():
    """Without this, `generate` of a newly made rnn-nade bundle always raises IndexError."""
    model = model_module.PianorollRnnNadeModel
    initialize = model.initialize_with_checkpoint_and_metagraph

    def mended(self, *paths):
        initialize(self, *paths)
        run = self._session.run

        def run_mended(fetches, feed=None):
            values = run(fetches, feed)
            if isinstance(fetches, list) and len(fetches) == 3:
                values[1] = values[1].view(_Loglik)
            return values

        self._session.run = run_mended

    model.initialize_with_checkpoint_and_metagraph = mended


if FAMILY == "pianoroll_rnn_nade":
    _mend_pianoroll_rnn_nade()


def _outer_attention(rnn_layer_sizes, dropout_keep_prob=1.0, attn_length=0, **_):
    """The cell as Magenta built it until May 2017: attention around the whole stack."""
    from magenta.contrib import rnn as contrib_rnn

    stack = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(units) for units in rnn_layer_sizes])
    return contrib_rnn.AttentionCellWrapper(stack, attn_length, state_is_tuple=True)


def _made_up(variable):
    """The rule for weights that `benchmarks.subjects.made_up_weights` follows, too."""
    name, shape = variable.op.name, variable.shape.as_list()
    if not shape:
        return np.zeros((), variable.dtype.as_numpy_dtype)
    scale = 1.6 / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.3
    return (np.random.RandomState(zlib.crc32(name.encode())).randn(*shape) * scale).astype(np.float32)


def _write_made_up(path, build, adjust):
    """Write a checkpoint of made-up weights for the graph that `build` makes."""
    with tf.Graph().as_default(), tf.Session() as session:
        build()
        for variable in tf.global_variables():
            value = _made_up(variable)
            for name, first, last, amount in adjust:
                if name == variable.op.name:
                    value[first:last] += amount
            variable.load(value, session)
        tf.train.Saver().save(session, str(path), write_meta_graph=False)


def _generator(config, **source):
    """What Magenta's `get_generator_map` makes, by config and not by id: two ids of performance_rnn are the same."""
    made = generator_module.get_generator_map()[config](**source)
    made.details.CopyFrom(model_module.default_configs[config].details)
    return made


def prepare(config, variant, path, adjust):
    """Write a file with made-up weights: a bundle, or a checkpoint of MusicVAE."""
    path = Path(path)
    if FAMILY == "music_vae":
        chosen = music_vae_configs.CONFIG_MAP[config]
        chosen.hparams.batch_size = 1
        tar, path = path, path.with_suffix(".ckpt")

        def build():
            chosen.model.build(chosen.hparams, chosen.data_converter.output_depth, is_training=False)
            depths = chosen.data_converter
            inputs = tf.placeholder(tf.float32, [1, None, depths.input_depth])
            controls = tf.placeholder(tf.float32, [1, None, depths.control_depth])
            lengths = tf.placeholder(tf.int32, [1, *list(depths.length_shape)])
            z = tf.placeholder(tf.float32, [1, chosen.hparams.z_size])
            chosen.model.sample(1, max_length=chosen.hparams.max_seq_len, z=z, temperature=1.0)
            chosen.model.encode(inputs, lengths, controls)
            tf.train.get_or_create_global_step()

        _write_made_up(path, build, adjust)
        with tarfile.open(tar, "w") as bundle:
            for part in sorted(path.parent.glob(path.name + ".*")):
                bundle.add(part, part.name)
                part.unlink()
        return
    make_cell = events_rnn_graph.make_rnn_cell
    if variant == "outer":
        events_rnn_graph.make_rnn_cell = _outer_attention
    try:
        model_module.default_configs[config].hparams.batch_size = 1
        generator = _generator(config, checkpoint=str(path) + ".ckpt")
        _write_made_up(str(path) + ".ckpt", generator._model._build_graph_for_generation, adjust)
        generator.create_bundle_file(str(path), "made-up weights")
        for part in path.parent.glob(path.name + ".ckpt*"):
            part.unlink()
    finally:
        events_rnn_graph.make_rnn_cell = make_cell


class Recurrent:
    """A bundle, and what it is asked to continue."""

    def __init__(self, config, path, **_):
        bundle = sequence_generator_bundle.read_bundle_file(path)
        self.generator = _generator(config, bundle=bundle)
        self.generator.initialize()
        self.model = self.generator._model
        self.batch = 1

    def prime(self, notes, qpm, length, new_beats, arguments, **_):
        """Take notes [pitch, velocity, start, end, drum] in beats, to be continued from `length` on."""
        self.sequence = note_seq.NoteSequence(ticks_per_quarter=220)
        self.sequence.tempos.add(qpm=qpm)
        self.sequence.time_signatures.add(numerator=4, denominator=4)
        for pitch, velocity, start, end, drum in notes:
            self.sequence.notes.add(
                pitch=pitch, velocity=velocity, start_time=start * 60 / qpm, end_time=end * 60 / qpm, is_drum=drum
            )
        self.sequence.total_time = length * 60 / qpm
        self.options = generator_pb2.GeneratorOptions()
        # Quantised with floor(x + 1): just below the first new step.
        self.options.generate_sections.add(
            start_time=length * 60 / qpm - 1e-3, end_time=(length + new_beats) * 60 / qpm + 1e-3
        )
        for key, value in arguments.items():
            field = {bool: "bool_value", int: "int_value", float: "float_value"}[type(value)]
            setattr(self.options.args[key], field, value)

    def play(self, seed):
        """One call: seconds, notes."""
        np.random.seed(seed)  # noqa: NPY002, Magenta draws from it
        started = time.perf_counter()
        sequence = self.generator.generate(self.sequence, self.options)
        return time.perf_counter() - started, len(sequence.notes)

    def count(self, seed):
        """Steps of the network in one call, the primer as one step."""
        steps = []
        step = self.model._generate_step_for_batch

        def counted(*arguments):
            steps.append(1)
            return step(*arguments)

        self.model._generate_step_for_batch = counted
        self.play(seed)
        del self.model._generate_step_for_batch
        return len(steps)


class Vae:
    """A checkpoint of MusicVAE, and the places of the latent space that are decoded."""

    def __init__(self, config, path, batch, **_):
        self.model = TrainedModel(
            music_vae_configs.CONFIG_MAP[config], batch_size=batch, checkpoint_dir_or_path=str(path)
        )
        self.batch, self.size = batch, self.model._config.hparams.z_size

    def prime(self, length, **_):
        """Take the number of steps."""
        self.length = length

    def play(self, seed):
        """One call: seconds, notes."""
        z = np.random.RandomState(seed).randn(self.batch, self.size).astype(np.float32)
        started = time.perf_counter()
        sequences = self.model.decode(z, length=self.length, temperature=1.0)
        return time.perf_counter() - started, sum(len(sequence.notes) for sequence in sequences)

    def count(self, seed):
        """Steps of the decoder in one call."""
        return self.length


def answer(request, loaded):
    """Do what one line asks; the reply."""
    verb = request.pop("do")
    if verb == "hello":
        import magenta
        import tensorflow

        return {
            "import_seconds": IMPORT_SECONDS,
            "versions": {
                "python": platform.python_version(),
                "magenta": magenta.__version__,
                "tensorflow": tensorflow.__version__,
                "numpy": np.__version__,
            },
        }
    if verb == "prepare":
        prepare(**request)
        return {}
    if verb == "load":
        started = time.perf_counter()
        loaded["network"] = (Vae if FAMILY == "music_vae" else Recurrent)(**request)
        return {"seconds": time.perf_counter() - started}
    if verb == "prime":
        loaded["network"].prime(**request)
        return {}
    if verb == "count":
        steps = loaded["network"].count(request["seed"])
        return {"steps": steps, "fed": steps, "rows": steps * loaded["network"].batch}
    if verb == "play":
        seconds, notes = loaded["network"].play(request["seed"])
        return {"seconds": seconds, "notes": notes}
    if verb == "memory":
        return {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    raise ValueError(verb)


def main():
    """Answer line by line until the input ends."""
    loaded = {}
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), loaded)
        except Exception as error:
            import traceback

            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        _replies.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    main()
