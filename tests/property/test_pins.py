"""Pinning replaces references and nothing else, once and for all."""

from hypothesis import given
from hypothesis import strategies as st
from pinning import BASES, CPU, KINDS, OLD, RUNTIME

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.pins import Edit, State, Target, find, rewrite
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
