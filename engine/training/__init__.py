"""Training of the networks: corpora, batches, the trainer, evaluation beside baselines, export of weights files."""
