"""What all tests share."""

import os

from hypothesis import settings

# On CI the same examples every time: a red run means that the change broke something. Elsewhere each run explores.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "explore")
