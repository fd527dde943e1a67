"""The host's apt: what it prints, and which of its sources may be Debian's."""

from collections.abc import Mapping, Sequence

from basestore.sources.apt import AptSource, HostApt, Run, host_apt, run_program

URIS = """\
'http://a.example.org/debian/dists/bookworm/InRelease' a_bookworm_InRelease 0
'http://a.example.org/debian/dists/bookworm-updates/InRelease' a_bookworm-updates_InRelease 0
'https://s.example.org/dists/bookworm-security/InRelease' s_bookworm-security_InRelease 0
'https://other.example.org/linux/dists/bookworm/InRelease' o_bookworm_InRelease 0
'https://own.example.org/x/dists/stable/InRelease' own_stable_InRelease 0
'file:/srv/mirror/dists/bookworm/InRelease' srv_InRelease 0
'https://flat.example.org/all/InRelease' flat_InRelease 0
'tor+http://tor.example.org/debian/dists/bookworm/InRelease' tor_InRelease 0
'http://a.example.org/debian/dists/bookworm/main/binary-amd64/Packages.xz' a_Packages 0
"""
ORIGINS = """\
http://a.example.org/debian/ Debian
https://other.example.org/linux/ Somebody Else
"""


def apt(uris: str = URIS, origins: str = "", check: str = "") -> Run:
    answers: Mapping[str, str] = {"update": uris, "indextargets": origins, "shell": check}

    def run(command: Sequence[str]) -> str:
        return answers[command[1]]

    return run


def test_the_sources_in_apts_order() -> None:
    assert host_apt(apt(origins=ORIGINS)).sources == (
        AptSource("http://a.example.org/debian", "bookworm", "Debian"),
        AptSource("http://a.example.org/debian", "bookworm-updates", "Debian"),
        AptSource("https://s.example.org", "bookworm-security"),
        AptSource("https://other.example.org/linux", "bookworm", "Somebody Else"),
        AptSource("https://own.example.org/x", "stable"),
        AptSource("file:///srv/mirror", "bookworm"),
    )


def test_bases_of_a_suite_that_the_host_uses() -> None:
    host = host_apt(apt(origins=ORIGINS))
    assert host.bases("bookworm") == (
        "http://a.example.org/debian",
        "file:///srv/mirror",
        "https://own.example.org/x",
    )
    assert host.bases("bookworm-security") == ("https://s.example.org",)


def test_bases_of_a_suite_that_the_host_does_not_use() -> None:
    host = host_apt(apt())
    assert host.bases("trixie")[0] == "http://a.example.org/debian"
    assert host.bases("trixie-security") == ("https://s.example.org",)


def test_the_old_name_of_a_security_suite() -> None:
    listed = "'http://s.example.org/dists/buster/updates/InRelease' x 0\n"
    assert host_apt(apt(listed)).bases("trixie-security") == ("http://s.example.org",)


def test_a_host_that_does_not_mind_expiry() -> None:
    assert host_apt(apt()).minds_expiry
    assert host_apt(apt(check="check='true'\n")).minds_expiry
    assert not host_apt(apt(check="check='false'\n")).minds_expiry


def test_a_host_without_apt() -> None:
    assert host_apt(lambda command: "") == HostApt()


def test_running_a_program() -> None:
    assert run_program(["printf", "a b"]) == "a b"
    assert run_program(["false"]) == ""
    assert run_program(["no-such-program-anywhere"]) == ""
