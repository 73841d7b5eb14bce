"""What scenes play over hours, measured: `python -m tests.proofs.hours SCENE... [--hours 4] [--seeds 5,6,7]`."""
