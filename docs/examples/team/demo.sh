#!/bin/sh
# A team's day with this example: build, push, run, ask, edit, push again, bump, pin, verify.
# `make demo-services` calls it. It works on a copy in .demo/team. Without docker-registry, or without
# an engine, it says what it leaves out.
set -eu

example=$(dirname "$0")
work="$PWD/.demo/team"
rm -rf "$work"
mkdir -p "$work"
cp -R "$example" "$work/project"
cd "$work/project"

say() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*" && "$@"; }

address=127.0.0.1:5000
registry_pid=
containers=
images=
finish() {
  [ -z "$containers" ] || docker rm --force $containers >/dev/null
  [ -z "$images" ] || docker rmi --force $images >/dev/null
  [ -z "$registry_pid" ] || kill "$registry_pid"
}
trap finish EXIT

if command -v docker-registry >/dev/null; then
  address=$(python3 -c '
import socket
print("127.0.0.1:%d" % socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
  cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: '$work/registry'}}
http: {addr: '$address'}
YAML
  docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
  registry_pid=$!
  grep -rlF 127.0.0.1:5000 . | xargs sed -i "s/127\.0\.0\.1:5000/$address/"
else
  say "no docker-registry here: nothing is pushed"
fi
engine=yes
docker info >/dev/null 2>&1 || engine=
[ -n "$engine" ] || say "no Docker Engine here: nothing is run"

push() { [ -z "$registry_pid" ] || run basestore push "$@"; }

say "the committed locks are those of the profiles and requirements"
run basestore lock --check

say "build two bases and three services"
if ! run basestore build; then
  # Debian's archive drops superseded packages: take what it has today. Else it fails again.
  basestore build 2>&1 | grep -q -e --upgrade-foundation || exit 6
  say "a Debian package is gone: locking the foundation anew, in $work/project"
  rm -f locks/images.toml locks/services.toml
  run basestore lock --upgrade-foundation
  run basestore build
fi
push

start() { # service: the first one's network, which is its own, is the others', too
  reference=$(basestore load --json "$1" | python3 -c '
import json, sys
print(json.load(sys.stdin)["loaded"][0]["reference"])')
  images="$reference $address/team/$reference $images"
  name="$1-$$"
  docker run --detach --name "$name" --network "$network" \
    --env DOCUMENTS_URL=http://127.0.0.1:8001 --env INDEXER_URL=http://127.0.0.1:8002 \
    "$reference" >/dev/null
  containers="$name $containers"
  [ "$network" != none ] || network="container:$name"
}

healthy() { # wait until all containers are
  for name in $containers; do
    for _ in $(seq 120); do
      [ "$(docker inspect --format '{{.State.Health.Status}}' "$name")" != healthy ] || break
      sleep 0.5
    done
  done
}

ask() { # path, file: what the API answers, asked from inside its network
  printf '$ ask svc-api %s\n' "$*"
  docker exec --interactive "svc-api-$$" python -c '
import httpx, sys
body = sys.stdin.buffer.read()
url = "http://127.0.0.1:8000" + sys.argv[1]
answer = httpx.post(url, content=body, timeout=60) if body else httpx.get(url, timeout=60)
print(answer.raise_for_status().text)' "$1" <"${2:-/dev/null}"
}

if [ -n "$engine" ]; then
  say "run the three, and ask the API over HTTP"
  network=none
  for service in svc-documents svc-indexer svc-api; do start "$service"; done
  healthy
  ask /documents samples/invoice.pdf
  ask /documents samples/minutes.pdf
  ask '/search?q=turbine'
fi

say "edit the indexer's code: its application's layer is all that is made and sent"
echo "# edited $(date)" >>apps/svc-indexer/main.py
run basestore build svc-indexer
push svc-indexer

say "pin what refers to a base"
basestore pin --check || true
run basestore pin
run basestore pin --check

say "another nltk for the base ml: what stands on it is stale, and so are the pins"
run sed -i 's/"nltk"/"nltk<3.10"/' profiles/ml.toml
run basestore lock
run basestore build
push
run basestore pin
run basestore pin --check

say "profile, lock, image, registry: do they agree?"
if [ -n "$registry_pid" ]; then run basestore verify --registry; else run basestore verify; fi
