"""References over several files, and edits that would spoil others."""

import pytest
from pinning import BASES, CPU, RUNTIME

from basestore.digest import Digest
from basestore.pins import State, Target, rewrite
from basestore.pins.bases import Bases
from basestore.pins.search import search
from basestore.pins.settle import settle

LOCK, IMAGE = Digest("1" * 64), Digest("2" * 64)
TARGETS = {"cpu": Target(CPU, LOCK, IMAGE), "runtime": Target(RUNTIME, Digest("3" * 64), IMAGE)}
VERSION = TARGETS["cpu"].version


def pinned(**files: str) -> tuple[dict[str, str], list[tuple[State, str]]]:
    """Files after pinning, and how the references stood before. ``__`` is a dot, ``_`` a slash."""
    contents = {
        name.replace("__", ".").replace("_", "/"): text.format(cpu=CPU, runtime=RUNTIME).encode()
        for name, text in files.items()
    }
    found = search(contents, BASES)
    judged = list(settle(found.occurrences, found.shared, TARGETS))
    edits = {edit for one in judged for edit in one.edits}
    after = {
        file: rewrite(data, [edit for edit in edits if edit.file == file]).decode()
        for file, data in contents.items()
    }
    return after, [(one.state, one.obstacle) for one in judged]


def test_variables_of_the_folder_reach_a_compose_file() -> None:
    files, _ = pinned(compose__yaml="image: {cpu}:${{V}}\n", __env="X=1\nV='v1'\n")

    assert files == {"compose.yaml": f"image: {CPU}:${{V}}\n", ".env": f"X=1\nV='{VERSION}'\n"}


def test_variables_of_another_folder_do_not() -> None:
    files, judged = pinned(a_compose__yaml="image: {cpu}:${{V}}\n", __env="V=v1\n")

    assert files[".env"] == "V=v1\n"
    assert judged == [(State.UNPINNED, "V has no value in the files of [pins]")]


def test_build_arguments_of_a_compose_file_reach_its_dockerfile() -> None:
    compose = "services: {{a: {{build: {{context: ./a, dockerfile: x.Dockerfile, args: [V=v1]}}}}}}"
    files, judged = pinned(d_compose__yaml=compose, d_a_x__Dockerfile="ARG V\nFROM {cpu}:$V\n")

    assert files["d/a/x.Dockerfile"] == f"ARG V\nFROM {CPU}:$V\n"
    assert files["d/compose.yaml"] == compose.replace("V=v1", f"V={VERSION}").format()
    assert judged == [(State.UNPINNED, "")]


def test_a_default_is_pinned_beside_the_build_argument() -> None:
    compose = "services:\n  a:\n    build:\n      args:\n        V: {v}\n"
    files, _ = pinned(
        compose__yaml=compose.format(v="v1"), Dockerfile="ARG V=v2\nFROM {cpu}:${{V}}\n"
    )

    assert files["compose.yaml"] == compose.format(v=VERSION)
    assert files["Dockerfile"] == f"ARG V={VERSION}\nFROM {CPU}:${{V}}\n"


def test_variables_fill_what_a_dockerfile_lacks() -> None:
    files, _ = pinned(
        Dockerfile="ARG V\nARG W=v0\nFROM {cpu}:$V\nFROM {cpu}:$W\n", __env="V=v1\nW=w"
    )

    assert files[".env"] == f"V={VERSION}\nW=w"
    assert files["Dockerfile"] == f"ARG V\nARG W={VERSION}\nFROM {CPU}:$V\nFROM {CPU}:$W\n"


@pytest.mark.parametrize(
    "dockerfile",
    [
        "ARG V=v1\nFROM {cpu}:$V\nFROM {runtime}:$V\n",
        "ARG V=v1\nFROM {cpu}:$V\nFROM other:$V\n",
        f"ARG V={VERSION}\nFROM {{runtime}}:$V\nFROM {{cpu}}:$V\n",
        "ARG R=registry.old.example.com\nFROM $R/base-cpu:1\nFROM $R/other\n",
    ],
)
def test_an_edit_never_spoils_another_reference(dockerfile: str) -> None:
    files, judged = pinned(Dockerfile=dockerfile)

    assert files["Dockerfile"] == dockerfile.format(cpu=CPU, runtime=RUNTIME)
    assert "is part of another reference" in judged[0][1]


@pytest.mark.parametrize(
    ("dockerfile", "obstacle"),
    [
        ("ARG A=1 B=2\nFROM {cpu}:v$A.$B\n", "put together from several texts"),
        ("ARG A=1\nFROM {cpu}:${{A%.*}}\n", ""),
        ("FROM {cpu}:$A\n", "A has no value"),
    ],
)
def test_what_can_not_be_rewritten(dockerfile: str, obstacle: str) -> None:
    _, ((state, told),) = pinned(Dockerfile=dockerfile)

    assert state is State.UNPINNED
    assert obstacle in told


IMAGE_AND_TAG = "FROM ${{BASE_IMAGE}}:${{BASE_TAG}}\n"
ARGS = "services: {{{{a: {{{{build: {{{{context: ., args: {{{{{}}}}}}}}}}}}}}}}}\n"


def test_a_repository_in_a_variable_gets_no_version_where_more_follows() -> None:
    files, judged = pinned(
        __env="BASE_IMAGE={cpu}\nBASE_VERSION=v1\n",
        compose__yaml="services: {{a: {{image: '${{BASE_IMAGE}}:${{BASE_VERSION}}'}}}}\n",
    )

    assert files[".env"] == f"BASE_IMAGE={CPU}\nBASE_VERSION={VERSION}\n"
    assert judged == [(State.UNPINNED, "")]


def test_nor_in_a_build_argument() -> None:
    compose = ARGS.format("BASE_IMAGE: '{cpu}'")
    files, judged = pinned(
        Dockerfile="ARG BASE_IMAGE={cpu}\nARG BASE_TAG=v1\n" + IMAGE_AND_TAG, compose__yaml=compose
    )

    assert files["compose.yaml"] == compose.format(cpu=CPU)
    assert files["Dockerfile"].startswith(f"ARG BASE_IMAGE={CPU}\nARG BASE_TAG={VERSION}\n")
    assert {told for _, told in judged} == {""}


@pytest.mark.parametrize("default", ["", "={cpu}"])
def test_repository_and_version_in_build_arguments(default: str) -> None:
    compose = ARGS.format("BASE_IMAGE: '{cpu}', BASE_TAG: {tag}").replace("{tag}", "{{tag}}")
    files, judged = pinned(
        Dockerfile=f"ARG BASE_IMAGE{default}\nARG BASE_TAG\n" + IMAGE_AND_TAG,
        compose__yaml=compose.replace("{{tag}}", "v1"),
    )

    assert files["compose.yaml"] == compose.replace("{{tag}}", VERSION).format(cpu=CPU)
    assert judged == [(State.UNPINNED, "")]


@pytest.mark.parametrize("args", ["[BASE_IMAGE, BASE_TAG]", "{{BASE_IMAGE: , BASE_TAG: }}"])
def test_build_arguments_that_are_handed_on(args: str) -> None:
    """With or without a value of their own: those of the environment then."""
    for one in (args, "{{BASE_IMAGE: '${{BASE_IMAGE}}', BASE_TAG: '${{BASE_TAG}}'}}"):
        files, judged = pinned(
            __env="BASE_IMAGE={cpu}\nBASE_TAG=v1\n",
            compose__yaml="a: {{build: {{context: ./d, args: " + one + "}}}}\n",
            d_Dockerfile="ARG BASE_IMAGE\nARG BASE_TAG\n" + IMAGE_AND_TAG,
        )

        assert files[".env"] == f"BASE_IMAGE={CPU}\nBASE_TAG={VERSION}\n"
        assert {told for _, told in judged} == {""}


def test_a_variable_that_is_an_image_here_and_a_repository_there() -> None:
    files, judged = pinned(
        __env="BASE_IMAGE={cpu}\n",
        compose__yaml="- image: ${{BASE_IMAGE}}\n- image: ${{BASE_IMAGE}}:v1\n",
    )

    assert files[".env"] == f"BASE_IMAGE={CPU}\n"
    assert (
        files["compose.yaml"] == f"- image: ${{BASE_IMAGE}}\n- image: ${{BASE_IMAGE}}:{VERSION}\n"
    )
    assert ["part of another reference" in told for _, told in judged] == [True, False]


@pytest.mark.parametrize("use", ["${{BASE_IMAGE}}:1", "$(BASE_IMAGE)@$(D)", "$BASE_IMAGE:$V"])
def test_a_variable_that_a_script_puts_more_behind(use: str) -> None:
    files, judged = pinned(__env="BASE_IMAGE={cpu}\n", build__sh=f"docker run {use}\n")

    assert files[".env"] == f"BASE_IMAGE={CPU}\n"
    assert ["part of another reference" in told for _, told in judged] == [True]


def test_what_is_not_mended_is_not_changed_by_another_edit() -> None:
    dockerfile = (
        "ARG R=registry.old.example.com V=v1\n"
        "FROM $R/base-cpu:$V\nFROM redis:$V\nFROM $R/base-cpu:v2\n"
    )

    files, judged = pinned(Dockerfile=dockerfile)

    assert files["Dockerfile"] == dockerfile
    assert all("part of another reference" in told for _, told in judged)


def test_a_compose_file_that_has_its_base_from_variables_alone() -> None:
    files, judged = pinned(
        __env="BASE={cpu}\nTAG=v1\n", compose__yaml="image: ${{BASE}}:${{TAG}}\n"
    )

    assert files[".env"] == f"BASE={CPU}\nTAG={VERSION}\n"
    assert judged == [(State.UNPINNED, "")]


def test_a_dockerfile_that_has_its_base_from_variables_alone() -> None:
    files, _ = pinned(__env="BASE={cpu}\n", Dockerfile="ARG BASE TAG=v1\nFROM $BASE:$TAG\n")

    assert files["Dockerfile"] == f"ARG BASE TAG={VERSION}\nFROM $BASE:$TAG\n"


def test_a_build_that_gives_a_registry() -> None:
    files, _ = pinned(
        compose__yaml=ARGS.format("REG: registry.example.com/team"),
        Dockerfile="ARG REG\nFROM $REG/base-cpu:v1\n",
    )

    assert files["Dockerfile"] == f"ARG REG\nFROM $REG/base-cpu:{VERSION}\n"


def test_a_dockerfile_in_a_compose_file_is_interpolated_first() -> None:
    compose = (
        "a:\n  build:\n    args: [V=v1]\n    dockerfile_inline: |\n"
        "      ARG V\n      FROM ${{BASE}}:${{TAG}}\n"
        "      FROM {cpu}:$${{V}}\n      FROM {cpu}:v3\n"
    )
    files, judged = pinned(__env="BASE={cpu}\nTAG=v2\n", compose__yaml=compose)

    assert files[".env"] == f"BASE={CPU}\nTAG={VERSION}\n"
    wanted = compose.replace("V=v1", f"V={VERSION}").replace("v3", VERSION)
    assert files["compose.yaml"] == wanted.format(cpu=CPU)
    assert [told for _, told in judged] == ["", "", ""]


def test_a_file_that_shares_a_variable_and_names_no_base() -> None:
    files, judged = pinned(
        __env="V=v1\n", a__yaml="image: {cpu}:${{V}}\n", b__yaml="image: redis:${{V}}\n"
    )

    assert files[".env"] == "V=v1\n"
    assert "part of another reference" in judged[0][1]


def test_many_edits_of_one_file() -> None:
    text = "".join(f"- image: {{cpu}}:{n}\n" for n in range(3000))

    files, judged = pinned(a__yaml=text)

    assert files["a.yaml"] == f"- image: {CPU}:{VERSION}\n" * 3000
    assert len(judged) == 3000


def test_tag_and_digest_apart() -> None:
    files, _ = pinned(Dockerfile="ARG T=v1 D=sha256:00\nFROM {cpu}:${{T}}@$D\nFROM {cpu}@$D\n")

    assert files["Dockerfile"] == (
        f"ARG T={LOCK.hex} D={IMAGE}\nFROM {CPU}:${{T}}@$D\nFROM {CPU}:{LOCK.hex}@$D\n"
    )


@pytest.mark.parametrize(
    ("version", "state"),
    [
        (f":{LOCK.hex}@{IMAGE}", State.PINNED),
        (f":{'0' * 64}@{IMAGE}", State.STALE),
        (f":{LOCK.hex}@sha256:{'0' * 64}", State.STALE),
        (f"@{IMAGE}", State.STALE),
        (f":{LOCK.hex}", State.UNPINNED),
        (":latest", State.UNPINNED),
        ("", State.UNPINNED),
        (f":{LOCK.hex}@sha256:12", State.UNPINNED),
    ],
)
def test_states(version: str, state: State) -> None:
    _, judged = pinned(Dockerfile=f"FROM {{cpu}}{version}\n")

    assert [one for one, _ in judged] == [state]


def test_an_alias_is_stale_even_if_its_version_is_right() -> None:
    files, judged = pinned(Dockerfile=f"FROM registry.old.example.com/base-cpu:{VERSION}\n")

    assert judged == [(State.STALE, "")]
    assert files["Dockerfile"] == f"FROM {CPU}:{VERSION}\n"


def test_a_file_that_mentions_no_base_is_not_parsed() -> None:
    found = search({"a.yaml": b"a: [", "Dockerfile": b"FROM"}, BASES)

    assert found.occurrences == ()


def test_names_without_a_text_of_their_own_claim_nothing_more() -> None:
    bases = Bases.of("r.example.com", "{profile}", ["ml"], [], ["old.example.com/x", "ml"])

    assert bases.claims("r.example.com/ml")
    assert not bases.claims("r.example.com/redis")
    assert bases.claims("old.example.com/x")
    assert bases.base_of("old.example.com/x") is None
    assert bases.base_of("ml") == "ml"
