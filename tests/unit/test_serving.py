"""The servers on loopback that other tests talk to."""

import socket
import socketserver
from pathlib import Path

import pytest
from bench.serving import serving, serving_on


class Greeter(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"hello")


def heard_from(address: str) -> bytes:
    """All that a server says on a connection, to its end."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        return connection.makefile("rb").read()


def failing(error: Exception) -> type[socketserver.BaseRequestHandler]:
    """A handler that ends with an error."""

    class Handler(Greeter):
        def handle(self) -> None:
            raise error

    return Handler


def test_it_answers_until_the_block_ends() -> None:
    with serving(Greeter) as address:
        assert heard_from(address) == heard_from(address) == b"hello"
    with pytest.raises(ConnectionRefusedError):
        heard_from(address)


def test_it_ends_with_a_block_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), serving(Greeter) as address:
        raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        heard_from(address)


def test_an_idle_connection_does_not_keep_it() -> None:
    class Waits(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.read()

    with serving(Waits) as address:
        host, _, port = address.partition(":")
        idle = socket.create_connection((host, int(port)))
    idle.close()


def test_a_unix_socket(tmp_path: Path) -> None:
    place = tmp_path / "a.sock"
    with serving_on(place, Greeter), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place))
        assert connection.recv(9) == b"hello"


@pytest.mark.parametrize("error", [ConnectionResetError(), BrokenPipeError()])
def test_clients_that_go_are_not_told_of(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(failing(error)) as address:
        assert heard_from(address) == b""
    assert capsys.readouterr().err == ""


def test_a_fault_of_the_handler_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(failing(ValueError("broken test"))) as address:
        assert heard_from(address) == b""
    assert "ValueError: broken test" in capsys.readouterr().err
