"""All mutations."""

from mutations import engines, locks, origins, profiles, records, registries, stores

TABLE = (
    *locks.mutations(),
    *origins.mutations(),
    *records.mutations(),
    *profiles.mutations(),
    *stores.mutations(),
    *registries.mutations(),
    *engines.mutations(),
)
