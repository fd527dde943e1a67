"""Given: the image that a lock gives, assembled without believing anything that is said of it.

Its layers are those that a revision's images prove; what those don't have is made aside.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from basestore.digest import Digest
from basestore.image.assemble import MadeLayer, assemble
from basestore.image.model import Image
from basestore.layer.application import Application
from basestore.layer.realise import Workshop, runner_of
from basestore.lock.services import Made
from basestore.pipeline.aside import Aside, Source
from basestore.pipeline.build import Plans, plans_of
from basestore.pipeline.documents import NoManifestError
from basestore.pipeline.locked import read_locked
from basestore.pipeline.new_conflicts import Part, check_new
from basestore.pipeline.proven import Claim, Layers, Proofs
from basestore.profile.model import Project
from basestore.recipe.model import Recipe
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Given:
    """What a lock gives. ``made``: how many of the image's layers had to be made.

    ``of``: what a service's image is a function of; None for a profile.
    """

    source: Source
    plans: Plans
    layers: Layers
    image: Image
    workshop: Workshop
    made: int
    of: Made | None = None


@dataclass(frozen=True, slots=True)
class Giver:
    """Assembles what the locks of a project give. What stands on one base shares that."""

    project: Project
    proofs: Proofs
    aside: Aside
    _profiles: dict[str, Given] = field(default_factory=dict, init=False)

    def profile(self, name: str) -> Given:
        """A profile's image; raises what fetching and making raise, and PathConflictError."""
        if name not in self._profiles:
            self._profiles[name] = self._profile(name)
        return self._profiles[name]

    def _profile(self, name: str) -> Given:
        locked = read_locked(self.project, name)
        lock = locked.parse()
        workshop = Workshop(self.aside.store, runner_of(lock, self.aside.builder.host))
        plans, source = plans_of(lock, ()), (locked, lock)
        names = (name, *self.proofs.relatives(lock))
        proven = self._proven(plans, names)
        layers = self._layers(plans, proven, source, workshop)
        known = (name,) if self.proofs.claim(name) else names
        claims = [claim for one in known if (claim := self.proofs.claim(one))]
        for platform, plan in plans.items():
            check_new(self.aside, [(plan, source)], _new(platform, plan, claims), workshop)
        image = assemble(lock.image, locked.digest, _realised(plans, layers)).image
        return Given(source, plans, layers, image, workshop, self._made(layers))

    def service(self, name: str, application: Application, adds: bool) -> Given:
        """A service's image, its application as read; raises as `profile`.

        ``adds``: whether that has anything where the revision's had nothing.
        """
        base = self.profile(self.project.services[name].base)
        locked = read_locked(self.project, name)
        lock = locked.parse()
        workshop = Workshop(self.aside.store, base.workshop.runner, application.sources)
        source, top = (locked, lock), application.recipe
        own = {p: (*plan, top) for p, plan in plans_of(lock, ()).items()}
        proven = self._proven(own, (name,))
        layers = {**base.layers, **self._layers(own, proven, source, workshop)}
        claim = self.proofs.claim(name)
        below = plans_of(base.source[1], tuple(own))
        for platform, plan in own.items():
            parts: Sequence[Part] = ((below[platform], base.source), (plan, source))
            claims = [claim] if claim else []
            new = _new(platform, [one for part, _ in parts for one in part], claims)
            check_new(self.aside, parts, new if adds else new - {top.digest}, workshop)
        plans = {p: (*below[p], *plan) for p, plan in own.items()}
        layer = layers[top.digest].layer
        image = assemble(lock.image, locked.digest, _realised(plans, layers), layer).image
        of = Made(locked.digest, base.image.digest, layer)
        return Given(source, plans, layers, image, workshop, self._made(layers), of)

    def _made(self, layers: Layers) -> int:
        """How many of layers were made here."""
        return len(layers.keys() & self.aside.made.keys())

    def _proven(self, plans: Plans, names: Iterable[str]) -> Layers:
        """The layers of plans that images of the revision prove.

        A name's own image has to be there, the first one's; what others lack is made.
        """
        wanted = {recipe.digest: recipe for plan in plans.values() for recipe in plan}
        found: dict[Digest, MadeLayer] = {}
        for number, name in enumerate(names):
            claim = self.proofs.claim(name)
            lacking = [one for digest, one in wanted.items() if digest not in found]
            told = [one.digest for one in lacking if claim and claim.tells(one)]
            try:
                layers = self.proofs.layers(name) if told else {}
            except NoManifestError:
                if not number:
                    raise
                continue
            found.update({digest: layers[digest] for digest in told if digest in layers})
        return found

    def _layers(
        self, plans: Plans, proven: Layers, source: Source, workshop: Workshop
    ) -> dict[Digest, MadeLayer]:
        """The layers of plans, made where they aren't proven."""
        lacking = [one for plan in plans.values() for one in plan if one.digest not in proven]
        return {**proven, **self.aside.layers(lacking, source, workshop)}


def _new(
    platform: Platform, plan: Sequence[Recipe], claims: Sequence[Claim]
) -> AbstractSet[Digest]:
    """The recipes of a plan that the image of the revision lacks that has most of them."""
    wanted = {recipe.digest for recipe in plan}
    lacking = (wanted - claim.recipes(platform) for claim in claims)
    return min(lacking, key=len, default=wanted)


def _realised(
    plans: Plans, layers: Layers
) -> Mapping[Platform, Sequence[tuple[Recipe, MadeLayer]]]:
    return {p: [(recipe, layers[recipe.digest]) for recipe in plan] for p, plan in plans.items()}
