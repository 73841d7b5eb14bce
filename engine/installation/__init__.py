"""An installation: what plays when, and the keeper that sees to it for months."""
