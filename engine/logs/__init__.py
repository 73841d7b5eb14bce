"""The log of all processes of an installation: entries with fields, bounded, and never waited for.

The standard library's logging carries it and not structlog: the keeper imports little, libraries log that way as well,
and 107 calls would gain a wrapper and no field. What structlog gives, fields and one place that renders, is here.
"""
