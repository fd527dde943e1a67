"""All mutations."""

from mutations import locks

TABLE = (*locks.mutations(),)
