"""Changes of what people write, alone: each key of profiles and services, each file beside them."""

from collections.abc import Callable, Iterator
from functools import partial

from mutations.model import Copy, Mutation

Change = Callable[[Copy], None]

BASE, ML, PROJECT = "profiles/base.toml", "profiles/ml.toml", "basestore.toml"

EDITS: tuple[tuple[str, str, str, str], ...] = (
    ("requirement-dropped", BASE, '  "conf-a",\n', ""),
    ("requirement-added", BASE, '  "conf-a",\n', '  "conf-a",\n  "evil",\n'),
    ("requirement-bound", BASE, '"alpha<2"', '"alpha<1.1"'),
    ("requirement-loosened", BASE, '"alpha<2"', '"alpha"'),
    ("requirement-extra", BASE, '"web[fast]>=2"', '"web>=2"'),
    ("requirement-marker", BASE, "python_version < '3.8'", "python_version > '3.8'"),
    ("python", BASE, 'python = "3.11"', 'python = "3.12"'),
    ("platforms", BASE, '["linux/amd64", "linux/arm64"]', '["linux/amd64"]'),
    ("requirements-file", "reqs/base.txt", "infile\n", "infile<1.1\n"),
    ("requirements-hash", "reqs/base.txt", "hashed==1.0 --hash=sha256:", "hashed # "),
    ("constraints-file", "reqs/constraints.txt", "limited<2", "limited<1.1"),
    ("constraints-dropped", BASE, 'constraints-files = ["../reqs/constraints.txt"]\n', ""),
    ("suite", BASE, 'debian = "bookworm"', 'debian = "trixie"'),
    ("foundation-added", BASE, '["python3.11"]', '["python3.11", "dash"]'),
    ("foundation-other", BASE, '["python3.11"]', '["python3.11-minimal"]'),
    ("user", BASE, "1000:1000", "0:0"),
    ("workdir", BASE, '"/srv"', '"/tmp"'),
    ("env", BASE, '"info"', '"debug"'),
    ("entrypoint", BASE, '"-I"', '"-S"'),
    ("cmd", BASE, "print(1)", "print(2)"),
    ("labels", BASE, '"one"', '"two"'),
    ("index-packages", BASE, 'packages = ["priv"]', 'packages = ["priv", "alpha"]'),
    ("index-name", BASE, "[indexes.team]", "[indexes.teams]"),
    ("path-conflict", BASE, '["conf-a", "conf-b"]', '["conf-b", "conf-a"]'),
    ("path-conflict-dropped", BASE,
     '"lib/python3.11/site-packages/shared/words.txt" = ["conf-a", "conf-b"]\n', ""),
    ("exception-reason", BASE, "a file too many", "two files too many"),
    ("exception-dropped", BASE, 'badrec = "its builder lists a file too many"\n', ""),
    ("extends", "profiles/deep.toml", 'extends = "ml"', 'extends = "base"'),
    ("replaces-dropped", ML, 'replaces = ["core"]\n', ""),
    ("replaces-added", ML, '["core"]', '["core", "alpha"]'),
    ("child-requirement", ML, '"tool"', '"tool<1.1"'),
    ("child-env", ML, '"small"', '"large"'),
    ("policy-forbids", PROJECT, '["forbidden*"]', '["forbidden*", "web"]'),
    ("policy-licence", PROJECT, '["GPL-*"]', '["GPL-*", "unknown"]'),
    ("policy-size", PROJECT, '"10 kB"', '"900 B"'),
    ("policy-index", PROJECT, 'priv = "team"', 'priv = "default"'),
    ("policy-waiver", PROJECT, "2099-12-31", "2020-12-31"),
    ("policy-waiver-other", PROJECT, 'package = "copyleft"', 'package = "copyright"'),
    ("service-base", PROJECT, 'base = "base"', 'base = "deep"'),
    ("service-requirement", PROJECT, '["helper"]', '["helper<1.1"]'),
    ("service-context", PROJECT, 'context = "apps/api"', 'context = "apps"'),
    ("service-files", PROJECT, '["main.py", "static"]', '["main.py"]'),
    ("service-files-added", PROJECT, '["main.py", "static"]', '["main.py", "static", "*.md"]'),
    ("service-to", PROJECT, 'to = "/app/"', 'to = "/srv/app/"'),
    ("service-platforms", PROJECT,
     'files = ["main.py", "static"]\nplatforms = ["linux/amd64"]\n',
     'files = ["main.py", "static"]\n'),
    ("service-entrypoint", PROJECT, '["python", "main.py"]', '["python", "other.py"]'),
    ("service-env", PROJECT, 'SERVE = "yes"', 'SERVE = "no"'),
    ("service-port", PROJECT, "port = 8000", "port = 8001"),
    ("service-user", PROJECT, 'user = "10001"', 'user = "0"'),
    ("service-labels", PROJECT, 'team = "web"', 'team = "net"'),
    ("service-healthcheck", PROJECT, '"30s"', '"60s"'),
    ("service-removed", PROJECT, "[services.job]", "[services.jobs]"),
    ("application", "apps/api/main.py", '"api"', '"API"'),
    ("application-of-other", "libs/shared/words.py", "3", "4"),
    ("application-ignore", "apps/api/.dockerignore", "*.md", "**/*.html"),
    ("unknown-key", BASE, "[image]\n", "[image]\nshell = true\n"),
    ("no-toml", BASE, "[image]\n", "[image\n"),
    ("project-no-toml", PROJECT, "[policy]\n", "[policy\n"),
)  # fmt: skip


def _mode(copy: Copy) -> None:
    copy.path("apps/api/static/run.sh").chmod(0o644)


def _new_file(copy: Copy) -> None:
    copy.write("apps/api/static/more.html", "more\n")


def _gone_file(copy: Copy) -> None:
    copy.path("apps/api/static/page.html").unlink()


def _link(copy: Copy) -> None:
    path = copy.path("apps/api/static/page.html")
    path.unlink()
    path.symlink_to("run.sh")


def _renamed_profile(copy: Copy) -> None:
    copy.path("profiles/deep.toml").rename(copy.path("profiles/depth.toml"))


def _new_profile(copy: Copy) -> None:
    copy.write("profiles/new.toml", 'extends = "base"\nplatforms = ["linux/amd64"]\n')


def _gone_reqs(copy: Copy) -> None:
    copy.path("reqs/base.txt").unlink()


DEEDS: tuple[tuple[str, str, Change], ...] = (
    ("application-mode", "a file loses its execute bit", _mode),
    ("application-file-added", "a file more is copied", _new_file),
    ("application-file-gone", "a file less is copied", _gone_file),
    ("application-link", "a link in a file's place", _link),
    ("renamed", "a profile has another name", _renamed_profile),
    ("added", "a profile that nobody locked", _new_profile),
    ("requirements-file-gone", "a requirements file is gone", _gone_reqs),
)


def mutations() -> Iterator[Mutation]:
    """Every change of them."""
    for what, file, old, new in EDITS:
        shown = " ".join(old.split())[:50]
        said = f"{file}: `{shown}`"
        yield Mutation(f"profile/{what}", said, partial(_edit, file, old, new))
    for what, said, change in DEEDS:
        yield Mutation(f"profile/{what}", said, change)


def _edit(file: str, old: str, new: str, copy: Copy) -> None:
    copy.edit(file, old, new)
