#!/bin/sh
# Builds the project's own `runtime` base from its committed lock, exports it as a plain folder and
# runs its Python out of there: no root, no Docker, no registry. `make demo` calls it.
set -eu

work=.demo
rm -rf "$work"
mkdir -p "$work"
project=.

echo "== build runtime from locks/runtime.lock"
status=0
basestore build runtime || status=$?
if [ "$status" -eq 6 ]; then
  # Debian's archive drops superseded packages: take what it has today, beside the project.
  echo "== something the lock names is gone: locking anew in $work/project"
  project="$work/project"
  mkdir -p "$project"
  cp -R profiles locks "$project"
  rm -f "$project/locks/images.toml"
  basestore --project "$project" lock --upgrade-foundation runtime
  basestore --project "$project" build runtime
elif [ "$status" -ne 0 ]; then
  exit "$status"
fi

echo "== the image's tag is the lock's SHA-256"
sha256sum "$project/locks/runtime.lock"

echo "== export it as a folder"
basestore --project "$project" export runtime --to "rootfs:$work/rootfs"

echo "== run its Python out of there"
case "$(uname -m)" in
  x86_64) loader=lib64/ld-linux-x86-64.so.2 ;;
  aarch64) loader=lib/ld-linux-aarch64.so.1 ;;
  *) echo "this machine can't run it" && exit 0 ;;
esac
root="$PWD/$work/rootfs"
PYTHONHOME="$root/usr" "$root/$loader" \
  --library-path "$root/usr/lib/$(uname -m)-linux-gnu" \
  "$root/usr/bin/python3.11" -c '
import platform, sys
sys.path.insert(0, sys.argv[1])
import asyncpg, dateutil, fastapi, httpx, hvac, minio, nats, neo4j, orjson, prometheus_client
import psycopg2, pydantic, qdrant_client, redis, ulid, uvicorn
print("Python", platform.python_version(), "imports all sixteen; fastapi", fastapi.__version__)
' "$root/opt/venv/lib/python3.11/site-packages"
