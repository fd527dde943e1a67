"""Pinning replaces references and nothing else, once and for all."""

import re
from collections.abc import Mapping

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pinning import BASES, CPU, KINDS, OLD, RUNTIME

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.pins import Edit, State, Target, find, rewrite
from basestore.pins.bases import split
from basestore.pins.search import search
from basestore.pins.settle import settle

TARGETS = {
    "cpu": Target(CPU, Digest("1" * 64), Digest("2" * 64)),
    "runtime": Target(RUNTIME, Digest("3" * 64), Digest("4" * 64)),
}
REPOSITORIES = st.sampled_from([CPU, RUNTIME, OLD])
VERSIONS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True),
    st.sampled_from([TARGETS["cpu"].version, TARGETS["runtime"].version]),
    st.sampled_from([f"{'0' * 64}@sha256:{'1' * 64}", f"v1@sha256:{'1' * 64}"]),
)
NAMES = st.sampled_from(sorted(KINDS))

# What tokenizers trip over, and references whole and in pieces.
FRAGMENTS = st.sampled_from(
    [
        *("FROM ", "ARG V=", "COPY --from=", "RUN <<EOF", "EOF", "$V", "${V}", "${V:-", "}", "\\"),
        *("# ", "'", '"', " ", "\n", "\r\n", "\t", ":", "@", "- ", "image: ", "tag: ", "&a ", "*a"),
        *("[", "]", "{", "{{ x }}", ", ", "|\n ", ">-\n  ", "---\n", "=", "é", "\u2028", "\x85"),
        *(CPU, f"{CPU}:1", f"{RUNTIME}:v2", f"{OLD}:x", "repository: ", "sha256:", "services:\n"),
        *("build: ", "args: ", "AS b", "# escape=`\n", "`", "\ufeff", "\x00", "V=1\n", "\n  "),
    ]
)


def pin(contents: dict[str, bytes]) -> tuple[dict[str, bytes], list[Edit], int]:
    """The files pinned, the edits, and how many references would still have to be."""
    found = search(contents, BASES)
    judged = list(settle(found.occurrences, found.shared, TARGETS))
    edits = sorted({edit for one in judged for edit in one.edits})
    after = {
        file: rewrite(data, [edit for edit in edits if edit.file == file])
        for file, data in contents.items()
    }
    return after, edits, sum(one.state is not State.PINNED for one in judged)


def outside(data: bytes, edits: list[Edit], sizes: list[int]) -> list[bytes]:
    """The bytes between edits, each of which has ``sizes`` bytes in the data."""
    parts, at, moved = [], 0, 0
    for edit, size in zip(edits, sizes, strict=True):
        start = edit.start + moved
        parts.append(data[at:start])
        at = start + size
        moved += size - (edit.end - edit.start)
    return [*parts, data[at:]]


@given(NAMES, REPOSITORIES, VERSIONS, st.booleans())
def test_every_kind_of_file_is_pinned_at_once(
    name: str, repository: str, version: str, windows: bool
) -> None:
    text = KINDS[name].format(repository=repository, version=version)
    data = (text.replace("\n", "\r\n") if windows else text).encode()

    after, edits, _ = pin({name: data})
    again, none, wrong = pin(after)

    target = TARGETS[BASES.base_of(repository) or ""]
    references = [one.reference for one in find(name, after[name], BASES).occurrences]
    assert references
    assert set(references) == {str(target)}
    assert (again, none, wrong) == (after, [], 0)
    before = outside(data, edits, [edit.end - edit.start for edit in edits])
    assert outside(after[name], edits, [len(edit.new) for edit in edits]) == before


@given(
    st.dictionaries(NAMES, st.lists(FRAGMENTS, max_size=25).map("".join), min_size=1, max_size=3)
)
def test_whatever_the_files_hold(texts: dict[str, str]) -> None:
    """Files either are refused, or pinning them is idempotent and touches places alone."""
    contents = {name: text.encode() for name, text in texts.items()}
    try:
        after, edits, wrong = pin(contents)
    except InputError:
        return

    again, none, still = pin(after)

    assert (again, none) == (after, [])
    assert still <= wrong
    for file, data in contents.items():
        own = [edit for edit in edits if edit.file == file]
        before = outside(data, own, [edit.end - edit.start for edit in own])
        assert outside(after[file], own, [len(edit.new) for edit in own]) == before


@given(NAMES, st.binary(max_size=200))
def test_bytes_of_any_kind_are_found_in_or_refused(name: str, data: bytes) -> None:
    try:
        found = find(name, data + CPU.encode() + b":1", BASES)
    except InputError:
        return
    for one in found.occurrences:
        for piece in one.pieces:
            if piece.place and piece.text:
                whole = data + CPU.encode() + b":1"
                assert whole[piece.place.start : piece.place.end].decode() == piece.text


# Files that are put together, as people write them: a row is what may stand in one place.
NAMED = ("BASE_IMAGE", "BASE", "BASE_TAG", "V")
VALUES = st.sampled_from(
    [CPU, CPU, RUNTIME, OLD, "v1", "v1", TARGETS["cpu"].version, f"{CPU}:v1", str(TARGETS["cpu"])]
)
USES = st.sampled_from(
    [
        *("${BASE_IMAGE}:${BASE_TAG}", "${BASE_IMAGE}:${V}", "${BASE}:${V}", "${BASE_IMAGE}"),
        *("${BASE}", "${BASE_IMAGE}:v1", "${BASE_IMAGE}:v${V}", f"{CPU}:${{V}}", f"{CPU}:v1"),
        *(f"{RUNTIME}:${{V}}", "redis:${V}", "redis:7", "${BASE_IMAGE}-more:${V}", str(CPU)),
    ]
)
GIVEN = st.dictionaries(st.sampled_from(NAMED), VALUES)
PASSED = st.dictionaries(
    st.sampled_from(NAMED),
    st.one_of(st.none(), VALUES, st.sampled_from([f"${{{one}}}" for one in NAMED])),
)
ARGUMENTS = st.dictionaries(st.sampled_from(NAMED), st.one_of(st.none(), VALUES))


def together(
    variables: Mapping[str, str],
    images: list[str],
    passed: Mapping[str, str | None],
    arguments: Mapping[str, str | None],
    froms: list[str],
) -> dict[str, bytes]:
    """A file of variables, a compose file and the Dockerfile that it builds; a line each."""
    dockerfile = [f"ARG {k}" if v is None else f"ARG {k}={v}" for k, v in arguments.items()]
    compose = ["services:", *(f"  s{n}: {{image: '{one}'}}" for n, one in enumerate(images))]
    compose += ["  b:", "    build:", "      context: .", "      args:", "        NONE: none"]
    compose += [f"        {k}:" + (f" '{v}'" if v else "") for k, v in passed.items()]
    return {
        ".env": "".join(f"{name}={value}\n" for name, value in variables.items()).encode(),
        "compose.yaml": ("\n".join(compose) + "\n").encode(),
        "Dockerfile": "".join(
            f"{one}\n" for one in [*dockerfile, *(f"FROM {one}" for one in froms)]
        ).encode(),
    }


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Compose and BuildKit: ``${NAME}`` is its value; where it has none nothing is named."""
    names = re.findall(r"\$\{(\w+)\}", text)
    if any(name not in values for name in names):
        return ""
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text)


def named(contents: Mapping[str, bytes]) -> dict[tuple[str, int, str], str]:
    """What the engine would be asked for, by file, line and whether it is built by compose."""
    variables = dict(line.split("=", 1) for line in contents[".env"].decode().splitlines())
    found, passed, defaults = {}, {}, {}
    for number, line in enumerate(contents["compose.yaml"].decode().splitlines(), 1):
        if image := re.fullmatch(r"  s\d+: \{image: '(.*)'\}", line):
            found["compose.yaml", number, ""] = expanded(image[1], variables)
        elif argument := re.fullmatch(r" {8}(\w+): '(.*)'", line):
            passed[argument[1]] = expanded(argument[2], variables)
        elif (handed := re.fullmatch(r" {8}(\w+):", line)) and handed[1] in variables:
            passed[handed[1]] = variables[handed[1]]
    for number, line in enumerate(contents["Dockerfile"].decode().splitlines(), 1):
        keyword, _, rest = line.partition(" ")
        if keyword == "FROM":
            declared = {k: v for k, v in passed.items() if k in defaults}
            own = {k: v for k, v in defaults.items() if v}
            found["Dockerfile", number, ""] = expanded(rest, own)
            both = {name: value for name, value in {**own, **declared}.items() if value}
            found["Dockerfile", number, "built"] = expanded(rest, both)
        else:
            name, _, value = rest.partition("=")
            defaults[name] = value
    return {key: text for key, text in found.items() if text}


@settings(max_examples=300)
@example({"BASE_IMAGE": CPU, "V": "v1"}, ["${BASE_IMAGE}:${V}"], {}, {}, ["redis:7"])
@example(
    {},
    [],
    {"BASE_IMAGE": CPU},
    {"BASE_IMAGE": CPU, "BASE_TAG": "v1"},
    ["${BASE_IMAGE}:${BASE_TAG}"],
)
@example(
    {},
    [],
    {"BASE_IMAGE": CPU, "BASE_TAG": "v1"},
    {"BASE_IMAGE": None, "BASE_TAG": None},
    ["${BASE_IMAGE}:${BASE_TAG}"],
)
@given(GIVEN, st.lists(USES, max_size=3), PASSED, ARGUMENTS, st.lists(USES, max_size=2))
def test_what_is_put_together_from_several_files(
    variables: dict[str, str],
    images: list[str],
    passed: dict[str, str | None],
    arguments: dict[str, str | None],
    froms: list[str],
) -> None:
    """As the engine would read it, a base is pinned or told, and all else stays as it was."""
    contents = together(variables, images, passed, arguments, froms)
    before = named(contents)
    found = search(contents, BASES)
    judged = settle(found.occurrences, found.shared, TARGETS)
    told = {
        (use.file, contents[use.file].count(b"\n", 0, use.offset) + 1)
        for use, judgement in zip(found.occurrences, judged, strict=True)
        if judgement.obstacle
    }

    after, _, _ = pin(contents)

    wanted = {str(one) for one in TARGETS.values()}
    for key, text in named(after).items():
        if not BASES.claims(split(before.get(key, ""))[0]):
            assert text == before.get(key, text)
        elif text not in wanted:
            assert key[:2] in told
            assert text == before[key]
    assert {key for key, text in before.items() if text in wanted} <= {
        key for key, text in named(after).items() if text in wanted
    }
    assert pin(after)[:2] == (after, [])
