"""Repairing the store: what is damaged is set aside, and fetched or made again where one can."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from basestore.digest import Digest
from basestore.errors import BasestoreError
from basestore.layer.realise import Workshop, realise, runner_of
from basestore.lock.model import Lock
from basestore.pipeline.build import Builder, plans_of
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.pipeline.service import ServiceBuilder
from basestore.pipeline.store_roots import ProjectMarker, UnreadableProjectError
from basestore.profile.model import Project
from basestore.progress import Progress
from basestore.recipe.model import Recipe
from basestore.store import Store
from basestore.store.blobs import DamagedBlobError, MissingBlobError
from basestore.store.check import BLOB, Damage
from basestore.store.quarantine import drop_records, set_aside

Open = Callable[[Path], tuple[Project, Builder]]
"""Reads a project, and opens what builds it into the store; raises what reading raises."""


class Outcome(StrEnum):
    """What became of something damaged."""

    AGAIN = "fetched or made again"
    UNNEEDED = "set aside; no known project needs it"
    LOST = "set aside, and could not be brought back"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of one damaged thing, and why it could not be brought back, where it couldn't."""

    damage: Damage
    outcome: Outcome
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Claim:
    """A profile or service of a project that needs something that is damaged."""

    project: Path
    name: str
    damaged: frozenset[Digest]


@dataclass(slots=True)
class Repair:
    """Repairs a store. ``marker`` tells who needs what, ``open_project`` how it comes back.

    ``store``: to look at, without a lease; whoever repairs is `Leases.alone`.
    """

    store: Store
    marker: ProjectMarker
    open_project: Open
    progress: Progress
    _failures: dict[Digest, list[str]] = field(default_factory=dict)

    def run(self, damage: Sequence[Damage]) -> tuple[Repaired, ...]:
        """Set aside all that is damaged, and bring back what projects need of it."""
        digests = frozenset(one.digest for one in damage if one.digest)
        claims = list(self._claims(digests))
        for one in damage:
            set_aside(self.store, one)
        for claim in claims:
            self._bring_back(claim)
        gone = [one for one in damage if not self._is_whole(one)]
        drop_records(self.store, frozenset(one.digest for one in gone if one.digest))
        needed = {digest for claim in claims for digest in claim.damaged}
        return tuple(self._outcome(one, one in gone, one.digest in needed) for one in damage)

    def _claims(self, digests: frozenset[Digest]) -> Iterator[_Claim]:
        """Who needs what of the damaged things; projects that can't be read are told and left."""
        for project in self.marker.projects():
            try:
                needs = next(self.marker.needs_of(project))
            except UnreadableProjectError as error:
                self.progress.note(error.message)
                continue
            for name, needed in needs.items():
                if damaged := needed & digests:
                    yield _Claim(project, name, damaged)

    def _bring_back(self, claim: _Claim) -> None:
        """Fetch artifacts, make layers, assemble documents; what fails keeps nothing else back."""
        try:
            project, builder = self.open_project(claim.project)
            lock = read_locked(project, claim.name)
            repairer = _Repairer(project, builder, lock, lock.parse(), claim.damaged)
        except BasestoreError as error:
            self._note(claim, error)
            return
        for step in (repairer.artifacts, repairer.layers, repairer.documents):
            try:
                step()
            except BasestoreError as error:
                self._note(claim, error)

    def _note(self, claim: _Claim, error: BasestoreError) -> None:
        reason = f"{claim.name}: {error.message}"
        for digest in claim.damaged:
            if reason not in (known := self._failures.setdefault(digest, [])):
                known.append(reason)

    def _is_whole(self, damage: Damage) -> bool:
        """Whether it is there again, as it should be."""
        store, digest = self.marker.store, damage.digest
        if digest is None:
            return False
        if damage.what != BLOB:
            realisations = store.realisations
            return bool(realisations.of_layer(digest) or realisations.claimed(digest))
        try:
            store.blobs.check(digest)
        except (MissingBlobError, DamagedBlobError):
            return False
        return True

    def _outcome(self, damage: Damage, gone: bool, needed: bool) -> Repaired:
        if not gone:
            return Repaired(damage, Outcome.AGAIN)
        if damage.digest is None or not needed:
            return Repaired(damage, Outcome.UNNEEDED)
        return Repaired(damage, Outcome.LOST, tuple(self._failures.get(damage.digest, ())))


@dataclass(frozen=True, slots=True)
class _Repairer:
    """Brings back what one profile or service needs, each thing only where it lacks."""

    project: Project
    builder: Builder
    locked: LockedProfile
    lock: Lock
    damaged: frozenset[Digest]

    def artifacts(self) -> None:
        """Fetch wheels and .debs."""
        self.builder.bring(self.locked, self.lock, _artifacts(self.lock) & self.damaged)

    def layers(self) -> None:
        """Make those layers again that were there, and aren't whole any more."""
        plans = {
            platform: [recipe for recipe in plan if self._lacks(recipe)]
            for platform, plan in plans_of(self.lock, ()).items()
        }
        runner = runner_of(self._foundation(), self.builder.host)
        workshop = Workshop(self.builder.store, runner)
        self.builder.layers(self.locked, self.lock, plans, realise, workshop)

    def documents(self) -> None:
        """Assemble the image again where a document, or a service's application, lacks."""
        store = self.builder.store
        lacking = (
            one
            for one in self.damaged
            if not store.blobs.has(one)
            and not store.realisations.of_layer(one)
            and not store.realisations.claimed(one)
        )
        if not any(lacking):
            return
        if self.locked.name in self.project.services:
            ServiceBuilder(self.project, self.builder).build(self.locked.name, (), realise)
        else:
            self.builder.build(self.locked, (), realise)

    def _foundation(self) -> Lock:
        """The lock whose foundation compiles bytecode: a service's base's."""
        base = self.lock.base
        return read_locked(self.project, base).parse() if base else self.lock

    def _lacks(self, recipe: Recipe) -> bool:
        """Whether its layer was there, by whomever, and isn't whole any more."""
        realisations = self.builder.store.realisations
        known = realisations.layer_of(recipe.digest)
        was_there = known is not None or recipe.digest in self.damaged
        return was_there and realisations.claimed(recipe.digest) is None


def _artifacts(lock: Lock) -> frozenset[Digest]:
    """The wheels and .debs of a lock."""
    debs = (deb.sha256 for part in lock.platforms for deb in part.debs)
    return frozenset((*debs, *(one.sha256 for part in lock.platforms for one in part.wheels)))


def lost(repaired: Sequence[Repaired]) -> Sequence[Repaired]:
    """What could not be brought back although a project needs it."""
    return [one for one in repaired if one.outcome is Outcome.LOST]
