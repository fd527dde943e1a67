"""An engine: what it is, which images it has, and what can be done with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from basestore.digest import Digest
from basestore.engine.endpoint import Endpoint
from basestore.engine.errors import EngineRefusedError, NotAnEngineError
from basestore.engine.sdk import Api, connect, refused, speaking
from basestore.image.model import LOCK_LABEL
from basestore.reading import UNFIT

_NOT_FOUND = 404
_CONTAINERD_STORE = "io.containerd.snapshotter.v1"


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image in an engine. ``layers``: its diffIDs, lowest first."""

    id: Digest
    layers: tuple[Digest, ...]
    labels: Mapping[str, str]


class Engine:
    """A Docker Engine that answers. Safe for threads, as far as each method is one request."""

    def __init__(self, api: Api, host: str, platform: str) -> None:
        self.api = api
        self.host = host
        self.platform = platform
        """``linux/amd64`` and the like: what its containers run on."""

    @classmethod
    def open(cls, endpoint: Endpoint) -> Self:
        """The engine at an endpoint.

        Raises EndpointError, NoEngineError, NotAnEngineError, OldEngineError.
        """
        api, versions = connect(endpoint)
        platform = f"{versions.get('Os', 'linux')}/{versions.get('Arch', 'unknown')}"
        return cls(api, endpoint.shown, platform)

    def close(self) -> None:
        """Close all connections."""
        self.api.close()

    def image(self, name: str) -> EngineImage | None:
        """An image by name, or by ID as ``sha256:…``; None where there is none."""
        what = f"show the image {name}"
        try:
            with speaking(self.host, what):
                return self._image(self.api.inspect_image(name))
        except EngineRefusedError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def locked_images(self) -> Iterator[EngineImage]:
        """Every image that was made from a lock, and every one made from such an image."""
        with speaking(self.host, "list its images"):
            listed = self.api.images(filters={"label": LOCK_LABEL})
        ids = [one.get("Id") for one in listed if isinstance(one, dict)]
        for image in map(self.image, dict.fromkeys(filter(None, ids))):
            if image:
                yield image

    def keeps_chains(self) -> bool:
        """Whether it keeps layers as unpacked chains, and not as the blobs that they came in."""
        with speaking(self.host, "say what it is"):
            about = self.api.info()
        status = about.get("DriverStatus") if isinstance(about, dict) else None
        return ["driver-type", _CONTAINERD_STORE] not in (status or ())

    def tag(self, image: Digest, name: str) -> None:
        """Give an image a name, ``repository:tag``, which another image may lose by it."""
        repository, _, tag = name.rpartition(":")
        with speaking(self.host, f"call an image {name}"):
            self.api.tag(str(image), repository, tag)

    def load(self, archive: Iterable[bytes]) -> Iterator[int]:
        """Send a docker-archive; returns when it is sent.

        What is returned ends when the image is there, and tells how many more bytes of layers are
        unpacked. Raises EngineRefusedError, also out of the iterator, and NoEngineError.
        """
        with speaking(self.host, "load an image"):
            answers = self.api.load_image(archive, quiet=False)
        return self._unpacked(answers)

    def _unpacked(self, answers: Iterator[Any]) -> Iterator[int]:
        unpacked: dict[object, int] = {}
        error = None
        with speaking(self.host, "load an image"):
            for answer in answers:  # to its end also after an error, which ends it
                error = error or refused(self.host, "load an image", answer)
                layer, current = _progress(answer)
                if current > unpacked.get(layer, 0):
                    yield current - unpacked.get(layer, 0)
                    unpacked[layer] = current
        if error:
            raise error

    def _image(self, answer: Any) -> EngineImage:
        try:
            config = answer.get("Config") or {}
            return EngineImage(
                Digest.parse(answer["Id"]),
                tuple(map(Digest.parse, (answer.get("RootFS") or {}).get("Layers") or ())),
                dict(config.get("Labels") or {}),
            )
        except UNFIT:
            raise NotAnEngineError(self.host, "it describes an image in an unknown form") from None


def shared_chain(layers: Sequence[Digest], images: Iterable[EngineImage]) -> int:
    """How many of an image's lowest layers, by diffID, form a chain that some image has too."""
    return max((_common(layers, image.layers) for image in images), default=0)


def _common(left: Sequence[Digest], right: Sequence[Digest]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(left), len(right)))


def _progress(answer: Any) -> tuple[object, int]:
    """Which layer a piece of the answer is about, and how many of its bytes are unpacked."""
    detail = answer.get("progressDetail") if isinstance(answer, dict) else None
    current = detail.get("current") if isinstance(detail, dict) else None
    return (answer.get("id"), current) if isinstance(current, int) else (None, 0)
