"""The example's services in containers, and what they answer over HTTP."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

PORT_OF = {"svc-api": 8000, "svc-documents": 8001, "svc-indexer": 8002}


@dataclass(frozen=True)
class Running:
    """The three services in containers that share one network, which is theirs alone."""

    docker: list[str]
    containers: dict[str, str]

    def ask(self, service: str, path: str, body: bytes = b"") -> Any:
        """The JSON that a service answers over HTTP, asked from inside the network.

        With a body it is sent by POST.
        """
        url = f"http://127.0.0.1:{PORT_OF[service]}{path}"
        return json.loads(self.inside(service, _ASK, url, given=body))

    def inside(self, service: str, program: str, *words: str, given: bytes = b"") -> str:
        """What a Python program prints in a service's container."""
        command = ["exec", "--interactive", self.containers[service], "python", "-c", program]
        return self._docker(*command, *words, given=given)

    def installed(self, service: str) -> list[str]:
        """``name==version`` of all that Python finds installed in a service's container."""
        return sorted(self.inside(service, _INSTALLED).split())

    def state(self, service: str, template: str) -> str:
        """What `docker inspect` tells of a container."""
        return self._docker("inspect", "--format", template, self.containers[service]).strip()

    def _docker(self, *words: str, given: bytes = b"") -> str:
        return engine(self.docker, *words, given=given)


_ASK = """
import sys, time, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], sys.stdin.buffer.read() or None)
request.add_header("Content-Type", "application/octet-stream")
for attempt in range(120):
    try:
        sys.stdout.write(urllib.request.urlopen(request, timeout=30).read().decode())
        break
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError:  # it starts still
        time.sleep(0.25)
else:
    sys.exit("it does not answer")
"""

_INSTALLED = """
import importlib.metadata
for found in importlib.metadata.distributions():
    print(found.name.lower().replace("_", "-").replace(".", "-") + "==" + found.version)
"""


@contextmanager
def running(docker: list[str], references: dict[str, str]) -> Iterator[Running]:
    """Run the services by their references, until the block ends."""
    run = uuid.uuid4().hex[:12]
    containers: dict[str, str] = {}
    network = "none"
    try:
        for service, reference in references.items():
            named = ["--name", f"{service}-{run}", "--network", network]
            engine(docker, "run", "--detach", *named, *_neighbours(service), reference)
            containers[service] = f"{service}-{run}"
            network = f"container:{next(iter(containers.values()))}"
        yield Running(docker, containers)
    except BaseException:
        for name in containers.values():
            print(f"{name}: {engine(docker, 'logs', name)}", file=sys.stderr)
        raise
    finally:
        for name in reversed(containers.values()):
            engine(docker, "rm", "--force", name)
        for reference in references.values():
            engine(docker, "rmi", "--force", reference)


def engine(docker: list[str], *words: str, given: bytes = b"") -> str:
    """What the engine's own client prints."""
    done = subprocess.run([*docker, *words], input=given, capture_output=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr.decode()}"
    return done.stdout.decode()


def _neighbours(service: str) -> list[str]:
    """Where a service finds the others, which share its network."""
    if service != "svc-api":
        return []
    names = {"DOCUMENTS_URL": "svc-documents", "INDEXER_URL": "svc-indexer"}
    urls = (f"{key}=http://127.0.0.1:{PORT_OF[name]}" for key, name in names.items())
    return [word for url in urls for word in ("--env", url)]
