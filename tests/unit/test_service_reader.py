"""``[services.NAME]``: what it is read into, and what is said of each mistake."""

from pathlib import Path

import pytest
from locked_project import make_project

from basestore.lock.config import image_config
from basestore.profile.document import DocumentError
from basestore.profile.model import Healthcheck, Location, Profile, RecordException
from basestore.profile.project import all_names, read_project
from basestore.profile.reader import read_profile
from basestore.profile.service import BuiltBy, Copy

WHOLE = """
[policy]
forbid = ["mypy"]

[services.svc-ocr]
base = "cpu"
image = "team/ocr"
requirements = ["pillow>=10", "demo[fast]"]
requirements-files = ["apps/ocr/requirements.txt"]
context = "apps/ocr"
context-limit = "10 MB"
files = ["main.py", { from = "conf", to = "/etc/ocr" }]
workdir = "/srv"
user = "10001:10001"
entrypoint = ["uvicorn", "main:app"]
port = 8000
env = { MODE = "production" }
healthcheck = { cmd = ["true"], interval = "30s", timeout = "5s", start-period = "2m", retries = 2 }
labels = { team = "ocr" }
"""


def project_with(root: Path, text: str) -> Path:
    make_project(root)
    (root / "apps" / "ocr").mkdir(parents=True)
    (root / "apps" / "ocr" / "requirements.txt").write_text("tiktoken\n")
    (root / "basestore.toml").write_text(text)
    return root


def service_of(root: Path, name: str = "svc-ocr") -> Profile:
    return read_profile(read_project(root), name)


def test_a_service_is_a_child_of_its_base(tmp_path: Path) -> None:
    profile = service_of(project_with(tmp_path, WHOLE))

    assert profile.parent == read_profile(read_project(tmp_path), "cpu")
    assert [one.name for one in profile.lineage] == ["runtime", "cpu", "svc-ocr"]
    assert [(one.text, str(one.location)) for one in profile.requirements] == [
        ("demo[fast]", "basestore.toml:8"),
        ("pillow>=10", "basestore.toml:8"),
        ("tiktoken", "apps/ocr/requirements.txt:1"),
    ]
    assert profile.file == "basestore.toml"
    assert (profile.python, profile.platforms) == ("3.11", profile.parent.platforms)


def test_what_is_the_services_own(tmp_path: Path) -> None:
    project = read_project(project_with(tmp_path, WHOLE))
    service = project.services["svc-ocr"]

    assert all_names(project) == ("cpu", "runtime", "svc-ocr")
    assert project.image("svc-ocr") == "team/ocr"
    assert (service.base, service.context, service.limit) == ("cpu", "apps/ocr", 10_000_000)
    assert service.files == (
        Copy("main.py", "", Location("basestore.toml", 12)),
        Copy("conf", "/etc/ocr", Location("basestore.toml", 12)),
    )
    assert service.builder is BuiltBy.BASESTORE


def test_the_image_is_the_bases_with_the_services_settings_on_top(tmp_path: Path) -> None:
    root = project_with(tmp_path, WHOLE)
    base = (root / "profiles" / "cpu.toml").read_text()
    (root / "profiles" / "cpu.toml").write_text(
        base + '[image]\ncmd = ["python", "-V"]\nenv = { A = "1" }\nlabels = { of = "base" }\n'
    )
    image = service_of(root).image

    assert (image.user, image.workdir) == ("10001:10001", "/srv")
    assert (image.entrypoint, image.cmd) == (("uvicorn", "main:app"), ())
    assert image.env == {"A": "1", "MODE": "production"}
    assert image.labels == {"of": "base", "team": "ocr"}
    assert image.ports == (8000,)
    assert image.healthcheck == Healthcheck(("true",), 30, 5, 120, 2)


def test_little_is_enough(tmp_path: Path) -> None:
    profile = service_of(project_with(tmp_path, '[services.a]\nbase = "runtime"\n'), "a")

    assert profile.service is not None
    assert profile.service.files == (Copy(".", "", Location("basestore.toml", 1)),)
    assert profile.service.image == "a"
    config = image_config(profile)
    assert (config.workdir, config.cmd, config.ports) == ("/app", ("python",), ())


def test_a_health_check_by_http_needs_nothing_but_python(tmp_path: Path) -> None:
    text = '[services.a]\nbase = "runtime"\nport = 80\nhealthcheck = { http = "/up?x=1" }\n'
    check = service_of(project_with(tmp_path, text), "a").image.healthcheck

    assert check is not None
    assert check.command[:2] == ("python", "-c")
    assert "http://127.0.0.1:80/up?x=1" in check.command[2]
    compile(check.command[2], "healthcheck", "exec")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ('base = "nothing"', "basestore.toml:3: services.svc.base", "no profile 'nothing'"),
        ('base = "svc"', "basestore.toml:3: services.svc.base", "no profile 'svc'"),
        ("user = 'root'", "basestore.toml:2: services.svc.base", "missing"),
        ('base = "cpu"\nimage = "Big"', "basestore.toml:4: services.svc.image", "no name for an"),
        ('base = "cpu"\nimage = "a:b"', "basestore.toml:4: services.svc.image", "no name for an"),
        ('base = "cpu"\ncontext = "../x"', "basestore.toml:4: services.svc.context", "no path in"),
        ('base = "cpu"\ncontext = "/x"', "basestore.toml:4: services.svc.context", "no path in"),
        ('base = "cpu"\nfiles = ["a", "../b"]', "basestore.toml:4: services.svc.files[1]", "below"),
        ('base = "cpu"\nfiles = [3]', "basestore.toml:4: services.svc.files[0]", "an integer"),
        (
            'base = "cpu"\nfiles = [{ from = "a", to = "b" }]',
            "basestore.toml:4: services.svc.files[0].to",
            "absolute path",
        ),
        (
            'base = "cpu"\nfiles = [{ from = "a", to = "/b/../c" }]',
            "basestore.toml:4: services.svc.files[0].to",
            "absolute path",
        ),
        ('base = "cpu"\ncontext-limit = "big"', "services.svc.context-limit", "no size"),
        ('base = "cpu"\nport = 0', "services.svc.port", "no TCP port"),
        ('base = "cpu"\nport = "80"', "services.svc.port", "a string, not an integer"),
        ('base = "cpu"\nports = [80]', "services.svc.ports", "unknown key"),
        ('base = "cpu"\nbuilder = "kaniko"', "services.svc.builder", "no builder 'kaniko'"),
        ('base = "cpu"\ndockerfile = "Dockerfile"', "services.svc.dockerfile", "engine builds"),
        ('base = "cpu"\nhealthcheck = {}', "services.svc.healthcheck", "either http or cmd"),
        (
            'base = "cpu"\nhealthcheck = { http = "/up" }',
            "services.svc.healthcheck.http",
            "no port",
        ),
        (
            'base = "cpu"\nport = 1\nhealthcheck = { http = "/a\'b" }',
            "services.svc.healthcheck.http",
            "no path of a URL",
        ),
        (
            'base = "cpu"\nhealthcheck = { cmd = ["x"], interval = "soon" }',
            "services.svc.healthcheck.interval",
            "no time",
        ),
        (
            'base = "cpu"\nrecord-exceptions = { a = "" }',
            "basestore.toml:4: services.svc.record-exceptions.a",
            "is empty",
        ),
        ('base = "cpu"\nworkdir = "app"', "services.svc.workdir", "absolute path"),
        ('base = "cpu"\nplatforms = ["linux/arm64"]', "services.svc.platforms[0]", "none of the"),
        ('base = "cpu"\nrequirements = ["-e ."]', "services.svc.requirements[0]", ""),
    ],
)
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, text: str, place: str, reason: str
) -> None:
    root = project_with(tmp_path, f"\n[services.svc]\n{text}\n")
    with pytest.raises(DocumentError) as caught:
        read_profile(read_project(root), "svc")
    assert place in caught.value.message
    assert reason in caught.value.message
    assert caught.value.hint


def test_a_service_excepts_its_own_packages_from_record(tmp_path: Path) -> None:
    """Its base's packages are in its base's lock, and so are the exceptions of them."""
    said = '[services.svc]\nbase = "cpu"\n[services.svc.record-exceptions]\nDe_mo = "no RECORD"\n'
    root = project_with(tmp_path, said)
    profile = root / "profiles" / "cpu.toml"
    profile.write_text(profile.read_text() + '[record-exceptions]\ntorch = "no RECORD"\n')

    found = service_of(root, "svc").record_exceptions

    assert found == {"de-mo": RecordException("no RECORD", Location("basestore.toml", 4))}


def test_profiles_and_services_share_their_names(tmp_path: Path) -> None:
    root = project_with(tmp_path, '[services.cpu]\nbase = "runtime"\n')
    with pytest.raises(
        DocumentError, match=r"basestore\.toml:1: services\.cpu: there is a profile"
    ):
        read_project(root)


def test_a_name_that_is_no_plain_name(tmp_path: Path) -> None:
    root = project_with(tmp_path, '[services."Svc OCR"]\nbase = "runtime"\n')
    with pytest.raises(DocumentError, match="no plain name for a service"):
        read_project(root)


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ('[services.a]\nbase = "cpu"\nimage = "base-cpu"\n', "cpu"),
        ('[services.a]\nbase = "cpu"\n[services.b]\nbase = "cpu"\nimage = "a"\n', "a"),
    ],
)
def test_no_two_images_have_one_name(tmp_path: Path, text: str, owner: str) -> None:
    root = project_with(tmp_path, text)
    with pytest.raises(DocumentError, match=f"as that of {owner}"):
        read_project(root)


def test_what_is_said_of_one_is_no_news_to_the_others(tmp_path: Path) -> None:
    two = '{}[services.a]\nbase = "runtime"\n[services.b]\nbase = "cpu"\nport = {}\n'
    before = read_project(project_with(tmp_path, two.format("", 1)))
    (tmp_path / "basestore.toml").write_text(two.format("", 2))
    after = read_project(tmp_path)
    assert before.said_of("a") == after.said_of("a")
    assert before.said_of("runtime") is None
    assert before.said_of("b") != after.said_of("b")

    (tmp_path / "basestore.toml").write_text(two.format('policy.forbid = ["x"]\n', 2))
    with_policy = read_project(tmp_path)
    assert with_policy.said_of("a") != after.said_of("a")
    assert with_policy.said_of("runtime") == with_policy.said_of("cpu") is not None
