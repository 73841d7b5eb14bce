"""`python -m engine.training`: prepare, train, evaluate, sample and export networks."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, load_network
from engine.training.corpora import corpus_of, read_corpus, trainable
from engine.training.evaluate import evaluate, sample_statistics
from engine.training.export import export, read_best
from engine.training.pieces import Piece, load_pieces, save_pieces, split_by_family


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.training", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text)
        sub.add_argument("config", choices=trainable())
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
    for name, text in (
        ("layers", "RNNs: LSTM units per layer"),
        ("encoder", "VAEs: LSTM units per layer and direction of the encoder"),
        ("decoder", "VAEs: LSTM units per layer of the decoder"),
    ):
        sub.add_argument(f"--{name}", type=int, nargs="+", help=text)
    sub.add_argument("--latent", type=int, help="VAEs: numbers of the latent vector")
    sub.add_argument("--beta", type=float, help="VAEs: weight of the KL divergence")
    sub.add_argument("--free-bits", type=float, help="VAEs: bits of the KL divergence that cost nothing")
    sub.add_argument("--sampling", type=float, default=0.5, help="VAEs: share of events that the decoder samples")
    sub.add_argument("--batch-size", type=int, default=32)
    sub.add_argument("--steps", type=int, default=128, help="RNNs: length of excerpts: 16ths on a grid, else events")
    sub.add_argument("--batches", type=int, default=4800, help="how many batches the learning rate falls over")
    sub.add_argument("--learning-rate", type=float, default=2e-3)
    sub.add_argument("--clip", type=float, default=1.0, help="bound on the global norm of the gradient")
    sub.add_argument("--dropout", type=float, default=0.15)
    sub.add_argument("--patience", type=int, default=20, help="evaluations without a better loss before it stops")
    sub.add_argument("--evaluate-every", type=int, default=200, help="batches between held-out losses and checkpoints")
    sub.add_argument("--weight", action="append", default=[], metavar="SOURCE=X", help="draw a source X times as often")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--minutes", type=float, help="stop at the first evaluation after so long; to be gone on with")
    sub.add_argument("--threads", type=int, default=0, help="CPU threads; 0 for all")

    sub = verb("evaluate", "Held-out loss per event beside unigram, bigram and copying baselines, as JSON.")
    sub.add_argument("weights", type=Path, help="a weights file, or the folder of a run")
    sub.add_argument("--split", choices=("validation", "test"), default="test")

    sub = verb("sample", "Statistics of samples at several temperatures beside those of the corpus, as JSON.")
    sub.add_argument("weights", type=Path, help="a weights file, or the folder of a run")
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
    return split_by_family([piece for folder in data for piece in read_corpus(corpus_of(config), folder)])


def _use_threads(count: int) -> None:
    """Compute on so many CPU threads; before the backend begins to."""
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    else:
        multi = "true" if count > 1 else "false"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen={multi}"


def _train(arguments: argparse.Namespace) -> None:
    if arguments.threads:
        _use_threads(arguments.threads)
    from engine.training.task import TrainingOptions
    from engine.training.tasks import make_task
    from engine.training.trainer import Trainer

    prepared = arguments.out / "pieces.npz"
    if prepared.exists():
        pieces = load_pieces(prepared)
    else:
        pieces = _pieces(arguments.config, arguments.data)
        arguments.out.mkdir(parents=True, exist_ok=True)
        save_pieces(prepared, pieces)
    options = TrainingOptions(
        config=arguments.config,
        sizes={
            name: value
            for name in ("layers", "encoder", "decoder", "latent")
            if (value := getattr(arguments, name)) is not None
        },
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
        beta=arguments.beta,
        free_bits=arguments.free_bits,
        sampling=arguments.sampling,
    )
    trainer = Trainer(options, make_task(options, pieces), arguments.out, say=lambda line: print(line, flush=True))
    if trainer.resume():
        print(f"going on from batch {trainer.step}", flush=True)
    trainer.run(time.monotonic() + 60 * arguments.minutes if arguments.minutes else None)


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
        elif arguments.verb == "export":
            card = export(arguments.run, arguments.config, pieces, arguments.out, arguments.about)
            print(f"{arguments.out}: {json.dumps(card.metrics)}")
        else:
            if arguments.weights.is_dir():
                network = CONFIGS[arguments.config].build(read_best(arguments.weights))
            else:
                network = load_network(arguments.weights)
            if arguments.verb == "evaluate":
                figures = evaluate(network, pieces, arguments.split)
            else:
                figures = sample_statistics(network, pieces, arguments.temperatures, arguments.count)
            print(json.dumps(figures, indent=2))
    except PerpetuumError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
