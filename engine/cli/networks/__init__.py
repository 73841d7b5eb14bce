"""Verbs about networks: what is here, data sets, training, evaluation."""
