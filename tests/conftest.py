"""What all tests share."""

import os

import pytest
from hypothesis import settings

# On CI the same examples every time: a red run means that the change broke something. Elsewhere each run explores.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "explore")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes do not name a test: what each process makes anew (an archive with its date) must have one name in all."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what is costly to make run in one process (`--dist loadgroup` of pytest-xdist)."""
    for item in items:
        info = getattr(item, "_fixtureinfo", None)
        scopes = {found[-1].scope for found in info.name2fixturedefs.values() if found} if info is not None else set()
        given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if item.path.name == "test_scenes.py" and "name" in given:
            item.add_marker(pytest.mark.xdist_group(f"scene {given['name']}"))
        elif "module" in scopes:
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))
