"""Performances as events or as whole notes, and the controls that such networks can be asked for."""
