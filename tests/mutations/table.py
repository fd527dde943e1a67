"""All mutations."""

from mutations import (
    combined,
    engines,
    harmless,
    locks,
    origins,
    profiles,
    records,
    registries,
    stores,
)

TABLE = (
    *locks.mutations(),
    *origins.mutations(),
    *records.mutations(),
    *profiles.mutations(),
    *combined.mutations(),
    *stores.mutations(),
    *registries.mutations(),
    *engines.mutations(),
    *harmless.mutations(),
)
