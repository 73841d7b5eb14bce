"""What a training is about, one module a family: its model, its batches, its loss, its judgement."""
