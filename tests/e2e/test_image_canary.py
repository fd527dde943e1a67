"""No secret gets into an image: a private package, from its index to the registry."""

import base64
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from built_project import with_retries
from loopback_index import loopback_index
from runtime_base import Base
from wheelmaker import make_wheel

pytestmark = [pytest.mark.long, pytest.mark.network, pytest.mark.registry]

USER, SECRET = "me", "c4n4ry/in@the-mine"
FORMS = (SECRET.encode(), b"c4n4ry", base64.b64encode(f"{USER}:{SECRET}".encode()))
FORMATS, ONE = ("oci", "docker-archive", "rootfs", "requirements"), "--platform=linux/amd64"
CHILD = """extends = "runtime"
requirements = ["private"]
[indexes.team-a]
url = "https://packages.example.com/simple"
packages = ["private"]
"""


def test_credentials_of_an_index_reach_no_image(
    base: Base, registry_address: str, tmp_path: Path
) -> None:
    basestore = base.copy(tmp_path / "project")
    (basestore.folder / "profiles/tools.toml").write_text(CHILD)
    with loopback_index() as index:
        index.add(make_wheel("private", "1"))
        index.credentials = (USER, SECRET)
        secret = quote(SECRET, safe="")
        mirror = f"http://{USER}:{secret}@{index.address}/simple"

        def run(*words: str) -> str:
            run_once = partial(basestore, BASESTORE_MIRROR_TEAM_A=mirror)
            done = with_retries(run_once, *words).expect(0)
            return done.out + done.err

        said = [
            run("lock", "tools"),
            run("build", "--json", "tools"),
            run("verify", "--content", "--rebuild", "tools"),
            run("push", "tools", "--to", f"{registry_address}/canary"),
            *(run("export", "tools", "--to", f"{form}:{tmp_path / form}", ONE) for form in FORMATS),
        ]
        assert "private" in index.asked

    told = [f"printed: {form!r}" for form in FORMS if form in "".join(said).encode()]
    places = [tmp_path, base.store]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    assert len(files) > 1000
    assert told + [str(file) for file in files if not file.is_symlink() and holds(file)] == []


def holds(file: Path) -> bool:
    """Whether a file holds the secret in some form."""
    content = file.read_bytes()
    return any(form in content for form in FORMS)
