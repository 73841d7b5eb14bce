"""The scene file: loading with positions, schema, diagnostics, plan. Needs neither TensorFlow, pyo nor note_seq."""
