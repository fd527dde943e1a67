"""A project with recorded images, and many files of services that refer to them."""

from collections.abc import Mapping
from pathlib import Path

from locked_project import make_project

from basestore.digest import Digest
from basestore.lock import images
from basestore.lock.files import lock_digests
from basestore.lock.images import ImageRecord
from basestore.pins import Bases, Target
from basestore.profile.project import read_project
from basestore.target import Platform

REGISTRY = "registry.example.com/team"
RUNTIME = f"{REGISTRY}/base-runtime"
CPU = f"{REGISTRY}/base-cpu"
OLD = "registry.old.example.com/base-cpu"
BASES = Bases.of(REGISTRY, "base-{profile}", ["runtime", "cpu"], ["base-tool"], [OLD])
STALE = f"{'0' * 64}@sha256:{'0' * 64}"

HEAD = f"""registry = "{REGISTRY}"
[pins]
files = ["apps/**", "compose.yaml", ".env"]
aliases = ["{OLD}"]
"""

DOCKERFILE = """# syntax=docker/dockerfile:1
ARG BASE_VERSION={version}
FROM {repository}:${{BASE_VERSION}} AS build
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache \\
    # what it needs
    uv sync --frozen \\
    && uv cache prune
RUN <<EOF
set -e
echo FROM nothing
EOF
COPY . .

FROM {repository}:{version}
COPY --from=build /app /app
COPY --from={repository}:{version} /etc/passwd /etc/passwd
USER 1000:1000
HEALTHCHECK CMD ["python", "-m", "service.health"]
CMD ["python", "-m", "service"]
"""

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: service  # é
  labels: {{app: service, team: platform}}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: service
  template:
    metadata:
      labels:
        app: service
    spec:
      initContainers:
        - name: migrate
          image: "{repository}:{version}"
          command: ["python", "-m", "service.migrate"]
      containers:
        - name: app
          image: {repository}:{version}  # the base
          ports:
            - containerPort: 8080
          env:
            - name: LEVEL
              value: "info"
            - name: TOKEN
              valueFrom:
                secretKeyRef: {{name: token, key: token}}
          resources:
            limits: {{cpu: "1", memory: 1Gi}}
          livenessProbe:
            httpGet:
              path: /healthz
              port: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: service
spec:
  ports:
    - port: 80
      targetPort: 8080
  selector:
    app: service
"""

COMPOSE = """services:
  app: &app
    image: '{repository}:{version}'
    environment:
      - BASE_IMAGE={repository}:{version}
    ports: ["8080:8080"]
  worker:
    <<: *app
    command: [python, -m, worker]
"""

VALUES = """replicas: 2
image:
  repository: {repository}
  tag: "{version}"
  pullPolicy: IfNotPresent
ingress:
  enabled: false
"""

VARIABLES = """LEVEL=info
export BASE_IMAGE="{repository}:{version}"
"""

TEMPLATE = """{{{{- if .Values.enabled }}}}
spec:
  image: {repository}:{version}
{{{{- end }}}}
"""

KINDS: Mapping[str, str] = {
    "Dockerfile": DOCKERFILE,
    "deployment.yaml": DEPLOYMENT,
    "compose.yaml": COMPOSE,
    "values.yaml": VALUES,
    ".env": VARIABLES,
    "job.tpl.yaml": TEMPLATE,
}


def make_pinned_project(root: Path) -> None:
    """A project of two locked profiles with recorded images, and no files of services."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "basestore.toml").write_text(HEAD)
    make_project(root)
    record_images(root)


def record_images(root: Path) -> None:
    """Record an image for each lock, as a build would."""
    records = [
        ImageRecord(name, lock, image := Digest.of(lock.hex.encode()), {Platform("amd64"): image})
        for name, lock in lock_digests(read_project(root)).items()
    ]
    (root / "locks/images.toml").write_bytes(images.write(records))


def target(root: Path, name: str) -> Target:
    """What a base's pin in such a project is."""
    lock = lock_digests(read_project(root))[name]
    return Target(f"{REGISTRY}/base-{name}", lock, Digest.of(lock.hex.encode()))


def write_services(root: Path, number: int, version: str, repository: str = RUNTIME) -> None:
    """That many files of mixed kinds, each of which refers to a base."""
    for index in range(number):
        name, text = list(KINDS.items())[index % len(KINDS)]
        file = root / f"apps/team-{index // 40}/svc-{index}/{name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.format(repository=repository, version=version))
