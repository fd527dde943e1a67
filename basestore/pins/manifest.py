"""References in YAML: Kubernetes, Compose, Kustomize and Helm's values.

Any scalar that is a reference with a tag or digest, or stands under a key that ends in ``image``;
with ``docker-image://``, ``NAME=`` or ``--flag=`` before it too. And what tools put together
themselves: ``repository`` and ``tag`` (Helm), ``name`` and ``newTag`` (Kustomize), ``args`` and
``dockerfile_inline`` (Compose).
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from basestore.pins.bases import Bases, split
from basestore.pins.expand import interpolate
from basestore.pins.inline import inline_references, lines_of, reason_of
from basestore.pins.lines import in_text
from basestore.pins.model import (
    Build,
    Occurrence,
    Piece,
    Pieces,
    PinFileError,
    Place,
    Variables,
    cut,
    shared_places,
    text_of,
)
from basestore.pins.nodes import Document, Entries, Items, Node, Scalar

_PREFIX = re.compile(
    r"(?:[A-Za-z_][A-Za-z0-9_.-]*=)?(?:docker-image|docker|oci)://"
    r"|[A-Za-z_]\w*=|--?[A-Za-z][A-Za-z0-9_.-]*="
)
_BEFORE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*=")
_TAGS = {"repository": ("tag",), "name": ("tag",), "image": ("tag", "imageTag", "image_tag")}
_OTHERWISE = "the version isn't written there; pin it where it is"


@dataclass(slots=True)
class Manifest:
    """What a YAML file names: references to bases, places that others share, builds."""

    bases: Bases
    variables: Variables
    document: Document
    occurrences: list[Occurrence] = field(default_factory=list)
    shared: list[Place] = field(default_factory=list)
    builds: list[Build] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)
    _arguments_seen: set[int] = field(default_factory=set)
    _others: dict[int, list[Place]] = field(default_factory=dict)

    def read(self) -> None:
        """Read the whole file; raises PinFileError."""
        for root in self.document.roots():
            self._visit(root, "")
            # What is handed to a build is another's only if a reference of the build is.
            others = self._others.items()
            self.shared += [
                p for one, found in others if one not in self._arguments_seen for p in found
            ]
            for known in (self._seen, self._arguments_seen, self._others):
                known.clear()

    def _visit(self, node: Node, key: str) -> None:
        if id(node) in self._seen:
            return
        if isinstance(node, Scalar):
            self._scalar(node, key)  # which may be an image under another key
            return
        self._seen.add(id(node))
        if isinstance(node, Items):
            for item in node.nodes:
                self._visit(item, key)
        else:
            self._mapping(node, key)

    def _mapping(self, node: Entries, key: str) -> None:
        nodes = node.nodes
        if "repository" in nodes:
            self._helm(node, "repository", key)
        elif "name" in nodes and key.lower() in ("image", "images"):
            self._kustomize(node) if key == "images" else self._helm(node, "name", key)
        elif "image" in nodes and any(tag in nodes for tag in _TAGS["image"]):
            self._helm(node, "image", key)
        if "build" in nodes:
            self._build(nodes["build"])
        for name, inner in node.values:
            self._visit(inner, name)

    def _scalar(self, node: Scalar, key: str) -> None:
        value = node.value
        if "$" not in value and not self._may_name(value):
            return
        prefix = _PREFIX.match(value)
        at = prefix.end() if prefix else 0
        pieces = self._pieces(node, at)
        repository, tag, digest = split(text_of(pieces))
        if not self.bases.claims(repository):
            within = list(self._text(node)) if self._may_name(value) else []
            self.occurrences += within
            kept = [piece for piece in pieces if piece.variable or not within]
            self._others[id(node)] = list(shared_places(tuple(kept))) if "$" in value else []
        elif tag or digest or _names_image(key, value[:at]):
            self._found(node, pieces, defines=self._defines(node, key, value[:at]))
            self._seen.add(id(node))

    def _defines(self, node: Scalar, key: str, prefix: str) -> str:
        """The variable that a value is for; by custom those of an environment are capitals."""
        if prefix:
            return "" if prefix.startswith("-") or prefix.endswith("://") else prefix[:-1]
        return key if key.isupper() or id(node) in self._arguments_seen else ""

    def _text(self, node: Scalar) -> Iterator[Occurrence]:
        """A longer text, which may hold pins as words."""
        span = (self.document.offset(node.start), self.document.offset(node.end))
        return in_text(self.document.file, self.document.data, *span, self.bases)

    def _may_name(self, value: str) -> bool:
        return self.bases.needle.search(value.encode()) is not None

    def _pieces(self, node: Scalar, start: int = 0) -> Pieces:
        whole = (Piece(node.value, self.document.place(node)),)
        part = tuple(cut(whole, start, len(node.value))) if node.value else whole
        return interpolate(part, self.variables) if "$" in node.value else part

    def _found(
        self,
        node: Scalar,
        pieces: Pieces,
        tagged: bool = True,
        obstacle: str = "",
        defines: str = "",
    ) -> None:
        text = text_of(pieces)
        repository = split(text)[0]
        if "{{" in text:
            obstacle = obstacle or "a template fills it in: " + _OTHERWISE
        offset = self.document.offset(node.start)
        base = self.bases.base_of(repository)
        self.occurrences.append(
            Occurrence(self.document.file, offset, pieces, base, tagged, obstacle, defines)
        )

    def _helm(self, node: Entries, called: str, key: str) -> None:
        """``registry``, ``repository``, ``tag``, ``digest``: a chart's templates join them."""
        parts = {k: n for k, n in node.nodes.items() if isinstance(n, Scalar)}
        repository, registry = parts.get(called), parts.get("registry")
        if repository is None:
            return
        pieces = self._pieces(repository)
        if registry is not None and registry.value:
            pieces = (*self._pieces(registry), Piece("/"), *pieces)
        whole, *version = split(text_of(pieces))
        if any(version) or not self.bases.claims(whole):
            return
        tag = next((parts[one] for one in _TAGS[called] if one in parts), None)
        digest = parts.get("digest")
        versioned = tag is not None or digest is not None
        if not versioned and not key.lower().endswith("image"):
            return
        # An image that has but a name is a whole reference: GitLab's way to write it.
        lacks = not versioned and called == "repository"
        obstacle = "there is no tag beside it: write one" if lacks else ""
        joined = self._joined(pieces, tag, digest)
        self._found(repository, joined, tag is not None or digest is None, obstacle)
        self._seen |= {id(one) for one in (repository, registry, tag, digest) if one}

    def _kustomize(self, node: Entries) -> None:
        """``newName`` stands for ``name``, by which the image is found and which so must stay."""
        parts = {k: n for k, n in node.nodes.items() if isinstance(n, Scalar)}
        name, tag, digest = parts.get("name"), parts.get("newTag"), parts.get("digest")
        if name is None:
            return
        self._seen.add(id(name))
        called = parts.get("newName")
        pieces = self._pieces(called) if called else (Piece(name.value),)
        if (tag or digest) and self.bases.claims(split(text_of(pieces))[0]):
            joined = self._joined(pieces, tag, digest)
            self._found(called or name, joined, tag is not None)
            self._seen |= {id(one) for one in (called, tag, digest) if one}

    def _joined(self, pieces: Pieces, tag: Scalar | None, digest: Scalar | None) -> Pieces:
        if tag is not None:
            pieces = (*pieces, Piece(":"), *self._pieces(tag))
        if digest is not None and (digest.value or tag is None):
            pieces = (*pieces, Piece("@"), *self._pieces(digest))
        return pieces

    def _build(self, node: Node) -> None:
        """Compose file reference, "build": context, dockerfile and args."""
        if not isinstance(node, Entries):
            return
        context, dockerfile = (node.nodes.get(key) for key in ("context", "dockerfile"))
        arguments = dict(self._arguments(node.nodes.get("args")))
        inline = node.nodes.get("dockerfile_inline")
        if isinstance(inline, Scalar):
            self._inline(inline, arguments)
            return
        if not arguments:
            return
        folder = posixpath.dirname(self.document.file)
        inner = dockerfile.value if isinstance(dockerfile, Scalar) else "Dockerfile"
        below = context.value if isinstance(context, Scalar) else "."
        path = posixpath.normpath(posixpath.join(folder, below, inner))
        self.builds.append(Build(path, arguments))

    def _inline(self, node: Scalar, arguments: Variables) -> None:
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        document = self.document
        start, end = document.offset(node.start), document.offset(node.end)
        if "\n" in node.value:
            pieces = lines_of(document.file, start, document.data[start:end], node.value)
        else:
            pieces = (Piece(node.value, document.place(node)),) if node.value.isascii() else ()
        try:
            found = list(inline_references(pieces, arguments, self.variables))
        except PinFileError as error:
            line = document.data.count(b"\n", 0, start) + 1
            raise PinFileError(document.file, line, reason_of(error)) from None
        for image in found:
            repository = split(text_of(image))[0]
            if self.bases.claims(repository):
                base = self.bases.base_of(repository)
                at = next(
                    (p.start for one in image if (p := one.place) and not one.variable), start
                )
                self.occurrences.append(Occurrence(document.file, at, image, base))
            else:
                self.shared += shared_places(image)

    def _arguments(self, node: Node | None) -> Iterator[tuple[str, Pieces]]:
        if isinstance(node, Entries):
            for name, value in node.nodes.items():
                if isinstance(value, Scalar):
                    self._arguments_seen.add(id(value))
                    passed = not value.value and self.document.place(value) is None
                    pieces = self.variables.get(name) if passed else self._pieces(value)
                    yield name, self._named(name, pieces or ())
        elif isinstance(node, Items):
            for item in node.nodes:
                if not isinstance(item, Scalar):
                    continue
                self._arguments_seen.add(id(item))
                before = _BEFORE.match(item.value)
                name = before[0][:-1] if before else item.value
                pieces = (
                    self._pieces(item, before.end()) if before else self.variables.get(name, ())
                )
                yield name, self._named(name, pieces)

    @staticmethod
    def _named(name: str, pieces: Pieces) -> Pieces:
        return tuple(piece._replace(variable=piece.variable or name) for piece in pieces)


def _names_image(key: str, prefix: str) -> bool:
    """Whether a value without tag and digest is an image there, and not just a word."""
    name = key if not prefix.endswith("=") else prefix[:-1]
    return name.lower().endswith("image") or prefix.endswith("://")
