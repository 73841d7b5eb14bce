"""`python -m engine.training`: prepare, train, evaluate, sample and export networks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, EventSequenceRnn, load_network
from engine.training.corpora import read_corpus
from engine.training.pieces import STEPS_PER_BAR, Piece, load_pieces, save_pieces, split_by_family

_KINDS = {"drums_rnn": "drums", "melody_rnn": "melody"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.training", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text)
        sub.add_argument("config", choices=sorted(CONFIGS))
        sub.add_argument(
            "--data",
            type=Path,
            action="append",
            required=True,
            help="a folder of data (may be repeated), or a prepared .npz",
        )
        return sub

    sub = verb("prepare", "Read data sets once and keep the pieces, split, in one file.")
    sub.add_argument("-o", "--out", type=Path, required=True, help="the .npz to write")

    sub = verb("train", "Train a network; started again with the same folder it goes on where it stopped.")
    sub.add_argument("-o", "--out", type=Path, required=True, help="folder of the run")
    sub.add_argument("--layers", type=int, nargs="+", default=[], help="LSTM units per layer")
    sub.add_argument("--batch-size", type=int, default=32)
    sub.add_argument("--steps", type=int, default=128, help="length of the training crops in 16ths")
    sub.add_argument("--batches", type=int, default=4800, help="how many batches the learning rate falls over")
    sub.add_argument("--learning-rate", type=float, default=2e-3)
    sub.add_argument("--clip", type=float, default=1.0, help="bound on the global norm of the gradient")
    sub.add_argument("--dropout", type=float, default=0.15)
    sub.add_argument("--patience", type=int, default=20, help="evaluations without a better loss before it stops")
    sub.add_argument("--evaluate-every", type=int, default=200, help="batches between held-out losses and checkpoints")
    sub.add_argument("--weight", action="append", default=[], metavar="SOURCE=X", help="draw a source X times as often")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--threads", type=int, default=0, help="CPU threads; 0 for all")

    sub = verb("evaluate", "Held-out loss per event beside unigram, bigram and copying baselines, as JSON.")
    sub.add_argument("weights", type=Path)
    sub.add_argument("--split", choices=("validation", "test"), default="test")

    sub = verb("sample", "Statistics of samples at several temperatures beside those of the corpus, as JSON.")
    sub.add_argument("weights", type=Path)
    sub.add_argument("--temperatures", type=float, nargs="+", default=[0.9, 1.0, 1.1])
    sub.add_argument(
        "--count",
        type=int,
        default=24,
        help="samples per temperature, of 8 bars: after 2 bars of primer, and as many from none",
    )

    sub = verb("export", "Write the best weights of a run as a weights file with its card.")
    sub.add_argument("run", type=Path, help="folder of the run")
    sub.add_argument("-o", "--out", type=Path, required=True, help="the .safetensors to write")
    sub.add_argument("--about", type=Path, help="JSON with name, licence, credits, training_data, description")
    return parser


def _pieces(config: str, data: list[Path]) -> list[Piece]:
    if len(data) == 1 and data[0].suffix == ".npz":
        return load_pieces(data[0])
    kind = _KINDS[CONFIGS[config].family]
    return split_by_family([piece for folder in data for piece in read_corpus(kind, folder)])


def _train(arguments: argparse.Namespace) -> None:
    import tensorflow as tf

    if arguments.threads:
        tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
        tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    from engine.training.trainer import Trainer, TrainingOptions

    prepared = arguments.out / "pieces.npz"
    if prepared.exists():
        pieces = load_pieces(prepared)
    else:
        pieces = _pieces(arguments.config, arguments.data)
        arguments.out.mkdir(parents=True, exist_ok=True)
        save_pieces(prepared, pieces)
    options = TrainingOptions(
        config=arguments.config,
        layers=tuple(arguments.layers),
        batch_size=arguments.batch_size,
        steps=arguments.steps,
        learning_rate=arguments.learning_rate,
        total=arguments.batches,
        warmup=min(200, arguments.batches // 10),
        clip=arguments.clip,
        dropout=arguments.dropout,
        patience=arguments.patience,
        evaluate_every=arguments.evaluate_every,
        source_weights={name: float(x) for name, x in (pair.rsplit("=", 1) for pair in arguments.weight)},
        seed=arguments.seed,
    )
    trainer = Trainer(options, pieces, arguments.out, say=lambda line: print(line, flush=True))
    if trainer.resume():
        print(f"going on from batch {trainer.step}", flush=True)
    trainer.run()


def sample_statistics(network: EventSequenceRnn, pieces: list[Piece], temperatures: list[float], count: int) -> dict:
    """Statistics of continuations of held-out primers, of what really follows them, and of music from no primer.

    Primers are two bars, drawn from the test split with the same chance for every bar; continuations are eight bars.
    """
    from engine.training.statistics import drum_statistics, melody_statistics

    describe = drum_statistics if network.config.family == "drums_rnn" else melody_statistics
    primer_steps, steps = 2 * STEPS_PER_BAR, 8 * STEPS_PER_BAR
    held = [piece.events for piece in pieces if piece.split == "test" and len(piece.events) >= 2 * primer_steps]
    if not held:
        raise PerpetuumError("no piece of four bars or more in the test split", "Give more data.")
    rng = np.random.default_rng(1)
    chances = np.array([len(events) for events in held], float)
    chosen = [held[k] for k in rng.choice(len(held), count, p=chances / chances.sum())]
    places = [int(rng.integers(max(1, (len(p) - primer_steps - steps) // STEPS_PER_BAR + 1))) for p in chosen]
    parts = [p[place * STEPS_PER_BAR :][: primer_steps + steps] for p, place in zip(chosen, places, strict=True)]
    report = {"corpus": describe([part[primer_steps:] for part in parts])}
    for temperature in temperatures:
        primed = [network.generate(p[:primer_steps].tolist(), steps, temperature, rng) for p in parts]
        free = [network.generate([], steps, temperature, rng) for _ in parts]
        report[f"{temperature} primed"] = describe([np.array(made) for made in primed])
        report[f"{temperature} free"] = describe([np.array(made) for made in free])
    return {name: {key: round(value, 3) for key, value in row.items()} for name, row in report.items()}


def main(argv: list[str] | None = None) -> int:
    """Run one verb; 0 when it went well, 1 when not, with a message."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.verb == "train":
            _train(arguments)
            return 0
        pieces = _pieces(arguments.config, arguments.data)
        if arguments.verb == "prepare":
            save_pieces(arguments.out, pieces)
            print(f"{len(pieces)} pieces, {sum(len(piece.events) for piece in pieces)} events: {arguments.out}")
        elif arguments.verb == "evaluate":
            from engine.training.evaluate import evaluate

            print(json.dumps(evaluate(load_network(arguments.weights), pieces, arguments.split), indent=2))
        elif arguments.verb == "sample":
            network = load_network(arguments.weights)
            print(json.dumps(sample_statistics(network, pieces, arguments.temperatures, arguments.count), indent=2))
        else:
            from engine.training.export import export

            card = export(arguments.run, arguments.config, pieces, arguments.out, arguments.about)
            print(f"{arguments.out}: {json.dumps(card.metrics)}")
    except PerpetuumError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
