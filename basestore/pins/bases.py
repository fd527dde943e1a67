"""Which repositories are bases'."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

_NAME = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*"


@dataclass(frozen=True, slots=True)
class Bases:
    """The repositories of bases.

    ``repositories``: those and their aliases, with the base's name, None for an alias that names
    no base. ``others``: what is no base's though it looks like one. ``pattern``: what bases'
    repositories look like. ``needle``: what the bytes of a file hold that names one.
    """

    repositories: Mapping[str, str | None]
    others: frozenset[str]
    pattern: re.Pattern[str] | None
    needle: re.Pattern[bytes]

    @classmethod
    def of(
        cls,
        registry: str,
        template: str,
        names: Sequence[str],
        others: Iterable[str] = (),
        aliases: Collection[str] = (),
    ) -> "Bases":
        """The bases of a project.

        ``template``: what their images are called, with ``{profile}`` for the name. ``others``:
        images of that registry that are no bases. An alias's last component names the image or
        the base.
        """
        images = {name: template.replace("{profile}", name) for name in names}
        named = {**{name: name for name in names}, **{_last(i): n for n, i in images.items()}}
        own = {f"{registry}/{image}": name for name, image in images.items()}
        return cls(
            repositories={**{alias: named.get(_last(alias)) for alias in aliases}, **own},
            others=frozenset(f"{registry}/{image}" for image in others),
            pattern=_pattern(registry, template),
            needle=_needle(template, {*map(_last, images.values()), *map(_last, aliases)}),
        )

    def claims(self, repository: str) -> bool:
        """Whether a repository is a base's, or would be."""
        if repository in self.others:
            return False
        return repository in self.repositories or bool(
            self.pattern and self.pattern.fullmatch(repository)
        )

    def base_of(self, repository: str) -> str | None:
        """The base of a repository; None where it is none's."""
        return self.repositories.get(repository)


def split(reference: str) -> tuple[str, str, str]:
    """Repository, ``:TAG`` and ``@DIGEST`` of a reference, the latter two empty where absent."""
    name, at, digest = reference.partition("@")
    colon = name.find(":", name.rfind("/") + 1)
    if colon < 0:
        return name, "", at + digest
    return name[:colon], name[colon:], at + digest


def _last(repository: str) -> str:
    return repository.rpartition("/")[2]


def _pattern(registry: str, template: str) -> re.Pattern[str] | None:
    """Without any text of its own a template would take every image of the registry for a base."""
    if template == "{profile}":
        return None
    before, _, after = template.partition("{profile}")
    return re.compile(f"{re.escape(f'{registry}/{before}')}{_NAME}{re.escape(after)}")


def _needle(template: str, names: Collection[str]) -> re.Pattern[bytes]:
    before, _, after = _last(template).partition("{profile}")
    words = {*names, max(before, after, key=len)} if before or after else set(names)
    least = [w for w in words if w and not any(o in w for o in words if o and o != w)]
    return re.compile("|".join(map(re.escape, sorted(least))).encode() or b"(?!)")
