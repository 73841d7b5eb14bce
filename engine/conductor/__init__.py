"""The scheduler: sections, phrases ahead of need, fallbacks, and events on the sample clock."""
