"""The locks hold every declared dependency at a version that fits, with hashes and without an address."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.repository import ROOT

CORE, DEV = "requirements.lock", "requirements-dev.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = {
    CORE: [*PROJECT["dependencies"], *EXTRAS["build"]],
    DEV: [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["dev"]],
}


def pins(lock: str) -> dict[str, Version]:
    """Locked version of each package."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in found}


@pytest.mark.parametrize("lock", [CORE, DEV])
def test_every_declared_dependency_is_locked_at_a_version_that_fits(lock: str) -> None:
    locked = pins(lock)
    wrong = []
    for line in DECLARED[lock]:
        wanted = Requirement(line)
        version = locked.get(canonicalize_name(wanted.name))
        if version is None or not wanted.specifier.contains(version, prereleases=True):
            wrong.append(f"{line}: locked {version}; run `make lock`")
    assert not wrong


@pytest.mark.parametrize("lock", [CORE, DEV])
def test_every_pin_has_hashes(lock: str) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / lock).read_text())
    bare = [
        block.splitlines()[0] for block in blocks if "==" in block.splitlines()[0] and "--hash=sha256:" not in block
    ]
    assert len(blocks) > 100
    assert not bare


@pytest.mark.parametrize("lock", [CORE, DEV])
def test_no_address_stands_in_a_lock(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.findall(r"^-", text, flags=re.MULTILINE)  # no options: every line is a pin


def test_tools_and_service_share_their_versions() -> None:
    core, dev = pins(CORE), pins(DEV)
    assert {name: (version, dev.get(name)) for name, version in core.items() if dev.get(name) != version} == {}


def test_build_backend_is_the_locked_one() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert build == EXTRAS["build"]
