"""A network over parts: a bass that hears drums, chords and notes, as `docs/ensemble.md` says."""
