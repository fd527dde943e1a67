"""What loading, checking and running ask of an engine, kept by a loopback engine and a real one."""

import gc
import io
import json
import socket
import tarfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import docker as sdk
import pytest
from images import CONFIG, SYSTEM
from layers import AMD64, ARM64, foundation_of, keep, new_store, recipe_of, recorded, workshop
from loopback_engine import NO_PROGRAM, WAITS, LoopbackEngine, loopback_engine
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.engine.client import Engine
from basestore.engine.container import Stream, Wish
from basestore.engine.endpoint import Endpoint, find_endpoint
from basestore.engine.errors import (
    EndpointError,
    EnginePlatformError,
    EngineRefusedError,
    NoEngineError,
    NoProgramError,
    NotAnEngineError,
    OldEngineError,
)
from basestore.engine.load import LoadReport, engine_platform, is_image, load
from basestore.engine.run import run
from basestore.errors import BasestoreError, ExitCode
from basestore.image.archive import archive_stream
from basestore.image.assemble import assemble
from basestore.image.model import Image, PlatformImage
from basestore.image.stored import keep_image
from basestore.layer.entry import file
from basestore.layer.realise import make
from basestore.lock.model import Deb
from basestore.progress import Progress
from basestore.store import Store, WrongDigestError

QUIET = Progress()


@dataclass
class Scene:
    """A store and an engine, with images that no other test has."""

    store: Store
    endpoint: Endpoint
    stamp: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def name(self) -> str:
        """A name of this test's own."""
        return f"basestore-test/{self.stamp}:v1"

    def image(self, *versions: str) -> PlatformImage:
        """An image of a foundation and a layer for each version of a wheel."""
        return self.images(*versions).platforms[0]

    def images(self, *versions: str) -> Image:
        """The same, whole."""
        deb = Deb("base", self.stamp, "all", 5, Digest.of(self.stamp.encode()))
        foundation = foundation_of(deb, platform=AMD64)
        system = sorted((*SYSTEM, file("stamp", self.stamp.encode())), key=lambda one: one.path)
        realised = [(foundation, recorded(self.store, foundation, system))]
        for number, version in enumerate(versions):
            content = {f"demo{number}/a.py": (self.stamp + version).encode() * 999}
            wheel = keep(self.store, make_wheel(f"demo{number}", version, content))
            recipe = recipe_of([wheel])
            realised.append((recipe, make(recipe, workshop(self.store))))
        lock = Digest.of((self.stamp + "".join(versions)).encode())
        assembled = assemble(CONFIG, lock, {AMD64: realised})
        keep_image(self.store, assembled)
        return assembled.image

    def load(self, image: PlatformImage, *names: str) -> LoadReport:
        """Load an image, under this test's name if no other is given."""
        with closing(Engine.open(self.endpoint)) as engine:
            return load(engine, self.store, image, names or (self.name,), QUIET)


@pytest.fixture
def fake() -> Iterator[LoopbackEngine]:
    with loopback_engine() as engine:
        yield engine


@pytest.fixture
def alone(fake: LoopbackEngine, tmp_path: Path) -> Scene:
    """A scene with the loopback engine."""
    return Scene(new_store(tmp_path), Endpoint(fake.host))


@pytest.fixture(params=["loopback", pytest.param("real", marks=pytest.mark.engine)])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A scene with either engine."""
    if request.param == "loopback":
        yield request.getfixturevalue("alone")
        return
    host = request.getfixturevalue("docker")[2]
    scene = Scene(new_store(tmp_path), Endpoint(host))
    yield scene
    with closing(sdk.APIClient(host, version="1.41")) as client:
        for image in client.images():
            if any(scene.stamp in name for name in image["RepoTags"] or ()):
                client.remove_image(image["Id"], force=True)


@pytest.fixture
def engine(scene: Scene) -> Iterator[Engine]:
    with closing(Engine.open(scene.endpoint)) as engine:
        yield engine


# --- loading


def test_a_loaded_image_is_the_one_that_was_built(scene: Scene, engine: Engine) -> None:
    image = scene.image("1", "1")

    report = scene.load(image)

    found = engine.image(scene.name)
    assert found is not None
    assert report.id == found.id == image.config.digest
    assert found.layers == tuple(layer.diff_id for layer in image.layers)
    assert len(found.labels["dev.basestore.lock"]) == 64
    assert (report.sent, report.named) == (3, (scene.name,))
    assert report.size == archive_size(scene, image, set())


def test_what_the_engine_has_is_not_sent_again(scene: Scene) -> None:
    image = scene.image("1")
    scene.load(image)

    report = scene.load(image)

    assert (report.sent, report.size, report.named) == (0, 0, ())
    assert report.id == image.config.digest


def test_a_name_that_is_missing_is_set_and_nothing_sent(scene: Scene, engine: Engine) -> None:
    image = scene.image("1")
    scene.load(image)
    other = f"registry.example.com:5000/team/{scene.stamp}:v2"

    report = scene.load(image, other, scene.name)

    assert (report.sent, report.size, report.named) == (0, 0, (other,))
    assert is_image(engine.image(other), image)


def test_every_name_is_set(scene: Scene, engine: Engine) -> None:
    names = (scene.name, f"registry.example.com/team/{scene.stamp}:v1")

    report = scene.load(scene.image("1"), *names)

    assert report.named == names
    assert all(is_image(engine.image(name), report.platform) for name in names)


def test_after_a_bump_only_what_lies_from_it_on_is_sent(scene: Scene, engine: Engine) -> None:
    scene.load(scene.image("1", "1", "1"))
    bumped = scene.image("1", "2", "1")

    report = scene.load(bumped, f"{scene.name}-2")

    assert report.sent == 2
    shared = {layer.descriptor.digest for layer in bumped.layers[:2]}
    assert report.size == archive_size(scene, bumped, shared)
    found = engine.image(f"{scene.name}-2")
    assert found is not None
    assert found.layers == tuple(layer.diff_id for layer in bumped.layers)


def test_an_image_whose_layers_are_all_there_is_sent_as_its_config(scene: Scene) -> None:
    scene.load(scene.image("1", "1"))

    image = scene.image("1")

    report = scene.load(image, f"{scene.name}-2")

    assert report.sent == 0
    assert report.size == archive_size(
        scene, image, {one.descriptor.digest for one in image.layers}
    )


def test_a_name_that_is_another_images_moves(scene: Scene, engine: Engine) -> None:
    scene.load(scene.image("1"))
    other = scene.image("2")

    assert scene.load(other).named == (scene.name,)

    assert is_image(engine.image(scene.name), other)


def test_an_engine_is_asked_for_what_is_not_there(engine: Engine, scene: Scene) -> None:
    assert engine.image(scene.name) is None
    assert engine.image(str(Digest.of(scene.stamp.encode()))) is None


def test_the_engines_platform_is_taken(scene: Scene, engine: Engine) -> None:
    whole = scene.images("1")

    if engine.platform == "linux/amd64":
        assert engine_platform(engine, whole) == whole.platforms[0]
    engine.platform = "linux/arm64"
    with pytest.raises(EnginePlatformError, match=r"linux/arm64, and the image has only linux/amd"):
        engine_platform(engine, whole)
    assert ARM64 not in [one.platform for one in whole.platforms]


# --- loading, with faults


def test_where_the_engine_lacks_a_layer_after_all_everything_is_sent(
    alone: Scene, fake: LoopbackEngine
) -> None:
    alone.load(alone.image("1", "1"))
    fake.chains.clear()
    bumped = alone.image("1", "2")

    report = alone.load(bumped)

    assert is_image_of(fake, alone.name, bumped)
    assert report.sent == 3
    assert report.size == sum(fake.bodies("/images/load")[1:])
    assert len(fake.bodies("/images/load")) == 3


def test_an_engine_that_keeps_images_as_containerd_does_gets_everything(
    alone: Scene, fake: LoopbackEngine
) -> None:
    alone.load(alone.image("1", "1"))
    fake.driver = "io.containerd.snapshotter.v1"

    assert alone.load(alone.image("1", "2")).sent == 3


def test_such_an_engine_calls_an_image_by_its_manifest(alone: Scene, fake: LoopbackEngine) -> None:
    image = alone.image("1")
    alone.load(image)
    manifest = str(image.manifest.digest)
    fake.configs[manifest] = fake.configs.pop(str(image.config.digest))
    fake.names = {alone.name: manifest}

    assert alone.load(image).size == 0
    fake.names.clear()
    assert alone.load(image).size == 0
    assert fake.names == {alone.name: manifest}


def test_a_refusal_is_the_engines_own_words(alone: Scene, fake: LoopbackEngine) -> None:
    fake.refuse("POST", "/images/load", body=b'{"message":"no space left\\n on device"}')

    with pytest.raises(EngineRefusedError, match="refuses to load an image: no space left on dev"):
        alone.load(alone.image("1"))

    assert fake.names == {}
    assert alone.load(alone.image("1")).sent == 2


def test_a_refusal_before_the_archive_is_read_is_heard(alone: Scene, fake: LoopbackEngine) -> None:
    fake.refuse("POST", "/images/load", status=403, read=False, body=b'{"message":"not you"}')

    with pytest.raises((EngineRefusedError, NoEngineError), match=r"not you|broke off|broken pipe"):
        alone.load(alone.image("1"))


def test_a_refusal_within_the_answer(alone: Scene, fake: LoopbackEngine) -> None:
    alone.load(alone.image("1"))
    fake.chains.clear()
    fake.refuse("POST", "/images/load", status=200, body=b'{"errorDetail":{},"error":"bad tar."}')
    fake.refuse("POST", "/images/load", status=200, body=b'{"errorDetail":{},"error":"bad tar."}')

    with pytest.raises(EngineRefusedError, match=r"refuses to load an image: bad tar$") as caught:
        alone.load(alone.image("2"))
    assert caught.value.exit_code == ExitCode.UNREACHABLE


@pytest.mark.parametrize("torn", [0, 1000])
def test_a_connection_that_is_cut_while_sending(
    alone: Scene, fake: LoopbackEngine, torn: int
) -> None:
    fake.refuse("POST", "/images/load", torn=torn)

    with pytest.raises(NoEngineError, match="can't be reached"):
        alone.load(alone.image("1"))
    assert fake.names == {}


def test_a_connection_that_is_cut_while_unpacking(alone: Scene, fake: LoopbackEngine) -> None:
    fake.refuse("STREAM", "load")

    with pytest.raises(NoEngineError, match="can't be reached"):
        alone.load(alone.image("1"))


def test_an_engine_that_says_it_loaded_and_has_not(alone: Scene, fake: LoopbackEngine) -> None:
    fake.refuse("POST", "/images/load", status=200, body=b'{"stream":"Loaded image"}')

    with pytest.raises(EngineRefusedError, match="refuses to load"):
        alone.load(alone.image("1"))


def test_a_damaged_store_leaves_the_engine_without_the_image(
    alone: Scene, fake: LoopbackEngine
) -> None:
    image = alone.image("1")
    realisation = alone.store.realisations.of_layer(image.layers[1].descriptor.digest)
    assert realisation is not None
    place = alone.store.blobs.path(realisation.blobs[0])
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:-1] + b"!")

    with pytest.raises(WrongDigestError):
        alone.load(image)
    assert fake.names == {}


def test_the_archive_is_a_stream_whose_pieces_stay_small(alone: Scene) -> None:
    pieces = list(archive_stream(alone.store, alone.image("1"), alone.name))

    assert max(map(len, pieces)) <= 512 * 1024


def test_omitted_layers_are_not_in_an_archive(alone: Scene) -> None:
    image = alone.image("1", "1")
    omitted = {layer.descriptor.digest for layer in image.layers[:2]}

    data = b"".join(archive_stream(alone.store, image, "team/base:v1", omitted))

    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = tar.getnames()
        index = json.loads(tar.extractfile("index.json").read())  # type: ignore[union-attr]
        (manifest,) = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]
    assert not {f"blobs/sha256/{digest.hex}" for digest in omitted} & set(names)
    assert len(manifest["Layers"]) == 3
    annotations = index["manifests"][0]["annotations"]
    assert annotations["io.containerd.image.name"] == "docker.io/team/base:v1"


# --- what answers


@pytest.fixture
def swept() -> Iterator[None]:
    """The SDK forgets to close sockets that it couldn't connect."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.usefixtures("swept")
def test_no_socket(tmp_path: Path) -> None:
    place = f"unix://{tmp_path}/docker.sock"

    with pytest.raises(NoEngineError) as caught:
        Engine.open(Endpoint(place))

    assert caught.value.message == (
        f"the Docker Engine at {place} can't be reached: there is no such socket"
    )
    assert "DOCKER_HOST" in caught.value.hint


@pytest.mark.usefixtures("swept")
def test_a_socket_that_nobody_listens_on(fake: LoopbackEngine) -> None:
    place = fake.host.removeprefix("unix://") + "-dead"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(place)
    with pytest.raises(NoEngineError, match="connection refused"):
        Engine.open(Endpoint(f"unix://{place}"))


@pytest.mark.usefixtures("swept")
def test_a_port_that_nobody_listens_on() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(NoEngineError, match=rf"tcp://127\.0\.0\.1:{port} .*connection refused"):
        Engine.open(Endpoint(f"tcp://user@127.0.0.1:{port}"))


@pytest.mark.parametrize("found", ["1.40", "1.9", "1.24"])
def test_an_engine_that_is_too_old(fake: LoopbackEngine, found: str) -> None:
    fake.version = {"ApiVersion": found}

    with pytest.raises(OldEngineError, match=rf"its API is {found}, needed is 1\.41") as caught:
        Engine.open(Endpoint(fake.host))
    assert caught.value.exit_code == ExitCode.UNREACHABLE


@pytest.mark.parametrize(
    ("found", "least", "spoken"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.43", "1.24", "1.43"),
        ("1.99", "1.44", "1.4"),
        ("1.99", "1.70", "1.70"),
    ],
)
def test_an_api_version_that_both_know_is_spoken(
    fake: LoopbackEngine, found: str, least: str, spoken: str
) -> None:
    fake.version = {"ApiVersion": found, "MinAPIVersion": least, "Os": "linux", "Arch": "arm64"}

    with closing(Engine.open(Endpoint(fake.host))) as engine:
        assert engine.platform == "linux/arm64"
        assert engine.image("nothing:v1") is None
        assert engine.api._version.startswith(spoken)


@pytest.mark.parametrize(
    "answer", [{}, [], None, {"ApiVersion": None}, {"ApiVersion": "new"}, {"ApiVersion": 1.41}]
)
def test_what_says_no_version_is_no_engine(fake: LoopbackEngine, answer: object) -> None:
    fake.version = answer

    with pytest.raises(NotAnEngineError, match="is no Docker Engine"):
        Engine.open(Endpoint(fake.host))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"<html>", NotAnEngineError),
        (404, b"<html>not here</html>", EngineRefusedError),
        (500, b"", EngineRefusedError),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", EngineRefusedError),
    ],
)
def test_other_servers(
    fake: LoopbackEngine, status: int, body: bytes, expected: type[BasestoreError]
) -> None:
    fake.refuse("GET", "/version", status=status, body=body)

    with pytest.raises(expected) as caught:
        Engine.open(Endpoint(fake.host))
    assert "\n" not in caught.value.message
    assert "http+docker" not in caught.value.message


@pytest.mark.parametrize("body", [b"{}", b'{"Id":"abc"}', b"[]", b'{"Id":"sha256:1","RootFS":[]}'])
def test_an_image_in_an_unknown_form(alone: Scene, fake: LoopbackEngine, body: bytes) -> None:
    fake.refuse("GET", "/images/.*/json", status=200, body=body)

    with pytest.raises(NotAnEngineError, match="unknown form"):
        alone.load(alone.image("1"))


# --- where it is


def test_the_default_engine(tmp_path: Path) -> None:
    assert find_endpoint({}, tmp_path).host == "unix:///var/run/docker.sock"
    assert find_endpoint({"DOCKER_CONTEXT": "default"}, tmp_path / "none").tls is None


def test_the_environments_engine_comes_first(tmp_path: Path) -> None:
    context(tmp_path, "other", {"Host": "unix:///other.sock"})
    environ = {"DOCKER_HOST": "tcp://10.0.0.1:2376", "DOCKER_CONTEXT": "other"}

    found = find_endpoint({**environ, "DOCKER_TLS_VERIFY": "1"}, tmp_path)

    assert found.host == "tcp://10.0.0.1:2376"
    assert found.tls is not None
    assert (found.tls.folder, found.tls.verified) == (tmp_path, True)
    assert find_endpoint(environ, tmp_path).tls is None


def test_a_context_is_looked_up(tmp_path: Path) -> None:
    context(tmp_path, "rootless", {"Host": "unix:///run/user/1000/docker.sock"})
    (tmp_path / "config.json").write_text('{"currentContext": "rootless"}')

    assert find_endpoint({}, tmp_path).host == "unix:///run/user/1000/docker.sock"
    assert find_endpoint({"DOCKER_CONTEXT": "default"}, tmp_path).host.startswith("unix:///var")


def test_a_contexts_certificates(tmp_path: Path) -> None:
    key = context(tmp_path, "far", {"Host": "tcp://far:2376", "SkipTLSVerify": True})
    folder = tmp_path / "contexts/tls" / key / "docker"
    folder.mkdir(parents=True)

    found = find_endpoint({"DOCKER_CONTEXT": "far"}, tmp_path)

    assert found.tls is not None
    assert (found.tls.folder, found.tls.verified) == (folder, False)


@pytest.mark.parametrize(
    ("environ", "config", "said"),
    [
        ({"DOCKER_HOST": "ssh://me@far"}, "{}", "wants ssh"),
        ({"DOCKER_HOST": "gopher://me:secret@far"}, "{}", "no such address"),
        ({"DOCKER_HOST": "tcp://"}, "{}", "no such address"),
        ({"DOCKER_CONTEXT": "lost"}, "{}", "is missing"),
        ({"DOCKER_CONTEXT": "bare"}, "{}", "has no Endpoints"),
        ({}, '{"currentContext": 1}', "no string"),
        ({}, "[]", "no JSON object"),
        ({}, "{", "is no JSON"),
    ],
)
def test_an_engine_that_is_named_wrongly(
    tmp_path: Path, environ: dict[str, str], config: str, said: str
) -> None:
    context(tmp_path, "bare", {})
    (tmp_path / "config.json").write_text(config)

    with pytest.raises(EndpointError, match=said) as caught:
        find_endpoint(environ, tmp_path)
    assert "secret" not in caught.value.message


BROKEN_CONFIGS = [
    "",
    "{",
    "[]",
    "1",
    '{"currentContext": 1}',
    '{"auths": 1}',
    '{"auths": {"registry.example.com": 1}}',
    '{"auths": {"registry.example.com": {"auth": "%"}}}',
    '{"proxies": 1}',
    '{"proxies": {"default": [1]}}',
]


@pytest.mark.parametrize("config", BROKEN_CONFIGS)
def test_a_broken_config_is_nothing_to_an_engine_that_is_named(tmp_path: Path, config: str) -> None:
    context(tmp_path, "other", {"Host": "unix:///other.sock"})
    (tmp_path / "config.json").write_text(config)

    assert find_endpoint({"DOCKER_HOST": "unix:///x"}, tmp_path) == Endpoint("unix:///x")
    assert find_endpoint({"DOCKER_CONTEXT": "other"}, tmp_path) == Endpoint("unix:///other.sock")
    assert find_endpoint({"DOCKER_CONTEXT": "default"}, tmp_path).host.startswith("unix:///var")


def test_an_address_that_only_the_sdk_refuses() -> None:
    with pytest.raises(EndpointError, match="far"):
        Engine.open(Endpoint("tcp://far"))


def context(config: Path, name: str, endpoint: dict[str, object]) -> str:
    """Write a context as Docker's client does; its key."""
    key = Digest.of(name.encode()).hex
    folder = config / "contexts/meta" / key
    folder.mkdir(parents=True)
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}
    (folder / "meta.json").write_text(json.dumps(meta))
    return key


# --- running


class Pipes:
    """What a container is attached to in a test. ``replies``: signals to send, each after the
    output that it waits for, in order.
    """

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self.written: list[tuple[Stream, bytes]] = []
        self.signals: SimpleQueue[str | None] = SimpleQueue()
        self.replies: list[tuple[bytes, str]] = []

    def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def write(self, stream: Stream, data: bytes) -> None:
        self.written.append((stream, data))
        if self.replies and data == self.replies[0][0]:
            self.signals.put(self.replies.pop(0)[1])

    def size(self) -> tuple[int, int]:
        return 24, 80

    def of(self, stream: Stream) -> bytes:
        """All that came of a stream."""
        return b"".join(data for which, data in self.written if which == stream)


def attended(alone: Scene, wish: Wish, pipes: Pipes) -> int:
    """Run a container in the loopback engine."""
    with closing(Engine.open(alone.endpoint)) as engine:
        return run(engine, wish, pipes, pipes.signals)


def test_streams_and_exit_code_are_the_containers(alone: Scene, fake: LoopbackEngine) -> None:
    pipes = Pipes(b"some ", b"words\n" * 50_000)

    code = attended(alone, Wish("image", ("shout",), stdin=True), pipes)

    assert code == 7
    assert pipes.of(Stream.OUT) == b"SOME " + b"WORDS\n" * 50_000
    assert pipes.of(Stream.ERR) == b"an error\n"
    assert len(fake.removed) == 1
    assert fake.containers == {}


def test_a_container_gets_what_was_wished(alone: Scene, fake: LoopbackEngine) -> None:
    wish = Wish("image", ("a", "b c"), ("X=1",), ("/here:/there:ro",), "none", "/srv")

    attended(alone, wish, Pipes())

    (asked,) = [container.asked for container in fake.removed]
    assert (asked["Image"], asked["Cmd"], asked["WorkingDir"]) == ("image", ["a", "b c"], "/srv")
    assert "X=1" in asked["Env"]
    assert asked["HostConfig"]["Binds"] == ["/here:/there:ro"]
    assert asked["HostConfig"]["NetworkMode"] == "none"
    assert asked["OpenStdin"] is False


def test_without_a_command_it_is_the_images_own(alone: Scene, fake: LoopbackEngine) -> None:
    attended(alone, Wish("image"), Pipes())

    (asked,) = [container.asked for container in fake.removed]
    assert asked.get("Cmd") is None
    assert "Binds" not in asked["HostConfig"]


def test_a_signal_is_forwarded_and_the_second_one_ends_it(
    alone: Scene, fake: LoopbackEngine
) -> None:
    pipes = Pipes()
    pipes.signals.put("SIGWINCH")  # which means nothing without a terminal
    pipes.replies = [(b"waiting\n", "SIGUSR1"), (b"SIGUSR1\n", "SIGINT"), (b"SIGINT\n", "SIGINT")]

    assert attended(alone, Wish("image", (WAITS,)), pipes) == 137

    assert pipes.of(Stream.OUT) == b"waiting\nSIGUSR1\nSIGINT\n"
    assert not any("resize" in path for _, path, _ in fake.asked)
    assert fake.containers == {}


def test_signals_that_need_not_end_a_program_are_its_own_affair(
    alone: Scene, fake: LoopbackEngine
) -> None:
    pipes = Pipes()
    sent = ["SIGHUP", "SIGHUP", "SIGQUIT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGTERM"]
    heard = [b"waiting\n", *(f"{name}\n".encode() for name in sent[:-1])]
    pipes.replies = list(zip(heard, sent, strict=True))

    assert attended(alone, Wish("image", (WAITS,)), pipes) == 137

    assert pipes.of(Stream.OUT) == b"".join(heard)
    assert fake.containers == {}


def test_a_terminal_has_one_stream_and_its_size(alone: Scene, fake: LoopbackEngine) -> None:
    pipes = Pipes(b"typed\r")

    attended(alone, Wish("image", stdin=True, tty=True), pipes)

    assert pipes.of(Stream.OUT) == b"TYPED\ran error\n"
    (container,) = fake.removed
    assert container.asked["Tty"] is True
    assert any("/resize?h=24&w=80" in path for _, path, _ in fake.asked)


def test_a_program_that_is_not_there(alone: Scene, fake: LoopbackEngine) -> None:
    with pytest.raises(NoProgramError, match="executable file not found") as caught:
        attended(alone, Wish("image", (NO_PROGRAM,)), Pipes())

    assert (caught.value.code, caught.value.program) == (127, NO_PROGRAM)
    assert len(fake.removed) == 1


def test_output_that_nobody_takes_ends_the_container(alone: Scene, fake: LoopbackEngine) -> None:
    class Closed(Pipes):
        def write(self, stream: Stream, data: bytes) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        attended(alone, Wish("image", (WAITS,)), Closed())
    assert len(fake.removed) == 1


@pytest.mark.parametrize("what", ["create", "attach", "start", "wait"])
def test_an_engine_that_fails_while_it_runs(alone: Scene, fake: LoopbackEngine, what: str) -> None:
    fake.refuse("POST", f"/containers.*{what}")

    with pytest.raises(EngineRefusedError, match="out of order"):
        attended(alone, Wish("image"), Pipes())
    assert fake.containers == {}


def test_a_program_that_a_real_image_lacks(scene: Scene, engine: Engine) -> None:
    image = str(scene.load(scene.image("1")).id)

    pipes = Pipes()
    with pytest.raises(NoProgramError):
        run(engine, Wish(image, (NO_PROGRAM,)), pipes, pipes.signals)


def archive_size(scene: Scene, image: PlatformImage, omitted: set[Digest]) -> int:
    """Bytes of an archive, whose name is as long as any."""
    return sum(map(len, archive_stream(scene.store, image, scene.name, omitted)))


def is_image_of(fake: LoopbackEngine, name: str, image: PlatformImage) -> bool:
    """Whether the loopback engine has an image under a name."""
    return fake.names[name] == str(image.config.digest)
