"""Code: by which files that a service copies the working tree differs from a commit."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from basestore.errors import InputError
from basestore.layer.application.context import Context, open_context
from basestore.layer.application.ignore import FILE
from basestore.layer.application.pattern import clean, is_special
from basestore.layer.application.take import take
from basestore.pipeline.committed import committed_context, tree_of
from basestore.pipeline.dockerfile import dockerfile_path
from basestore.profile.service import BuiltBy, Copy, Service
from basestore.sources.git import Changes, Entry, Revision

_HOME = "/app"  # where files without a target go; all that matters is that it is one place

_Commit = Mapping[str, Entry]
_Placed = Mapping[str, str]
"""Files relative to the project, by where they go in the image."""


@dataclass(frozen=True, slots=True)
class Code:
    """Compares the files that services copy. ``root``: the project's folder, links resolved."""

    root: Path
    revision: Revision
    changes: Changes

    def changed(self, old: Service, new: Service) -> tuple[str, ...]:
        """The files, relative to the project, by which what is copied differs; sorted.

        ``old``: the service as it was in the commit. Raises InputError kinds for files that can't
        be taken as they are now, and GitFailedError.
        """
        if _rules(old) == _rules(new) and not any(map(self.changes.touch, self._watched(new))):
            return ()
        folders = self._folder(old), self._folder(new)
        commit = self.revision.entries(folders)
        then = self._then(old, folders[0], commit)
        now = _placed(open_context(self.root, new), new, folders[1])
        places = then.keys() | now.keys()
        differing = (self._differing(then.get(at), now.get(at), commit) for at in places)
        recipe = [dockerfile_path(new)] if new.builder is BuiltBy.DOCKER else []
        files = {*differing, *(file for file in recipe if file in self.changes)}
        return tuple(sorted(filter(None, files)))

    def adds(self, old: Service, new: Service) -> bool:
        """Whether something is copied to a place of the image where nothing was; raises as above.

        The working folder of the image has to be what it was.
        """
        folders = self._folder(old), self._folder(new)
        then = self._then(old, folders[0], self.revision.entries(folders))
        now = _placed(open_context(self.root, new), new, folders[1])
        return not now.keys() <= then.keys()

    def _watched(self, service: Service) -> Iterator[str]:
        """The paths that whatever a service copies lies at or below, and its rules."""
        for folder in dict.fromkeys((service.context, self._folder(service))):
            yield posixpath.normpath(posixpath.join(folder, FILE))
            for copy in _copies(service):
                yield posixpath.normpath(posixpath.join(folder, _literal(copy.source)))
        if service.builder is BuiltBy.DOCKER:
            yield dockerfile_path(service)

    def _folder(self, service: Service) -> str:
        """Where a service's context lies, links followed, relative to the project."""
        folder = (self.root / service.context).resolve()
        inside = folder.is_relative_to(self.root)
        return folder.relative_to(self.root).as_posix() if inside else clean(service.context)

    def _then(self, service: Service, folder: str, commit: _Commit) -> _Placed:
        """What was copied in the commit; nothing where that couldn't be, or can't be told."""
        if service.context in self.changes:
            return {}  # it was a link, and nobody knows where it led
        try:
            context = committed_context(self.revision, tree_of(commit), folder)
            return _placed(context, service, folder)
        except InputError:
            return {}

    def _differing(self, then: str | None, now: str | None, commit: _Commit) -> str | None:
        """The file by which a place of the image differs, None where it doesn't.

        What git doesn't list as changed and the commit hasn't lies in a submodule that is as it
        was.
        """
        if now is None:
            return then
        if now in self.changes:
            same = then is not None and commit[then] == self.revision.entry(now)
        elif then is None:
            same = now not in commit
        else:
            same = then == now or commit[then] == commit.get(now)
        return None if same else now


def _rules(service: Service) -> object:
    """What decides which of a service's files are copied where, but for the ignored ones."""
    copies = [(copy.source, copy.target) for copy in _copies(service)]
    return service.builder, service.context, service.dockerfile, service.build_args, copies


def _copies(service: Service) -> tuple[Copy, ...]:
    """What is copied; a Dockerfile may copy all of the context."""
    if service.builder is BuiltBy.DOCKER:
        return (Copy(".", "", service.place),)
    return service.files


def _literal(source: str) -> str:
    """The part of a source above its first component with a wildcard."""
    parts = source.split("/")
    plain = next((n for n, part in enumerate(parts) if is_special(part)), len(parts))
    return "/".join(parts[:plain]) or "."


def _placed(context: Context, service: Service, folder: str) -> _Placed:
    """What a service copies out of a context that lies in a folder of the project."""
    found: dict[str, str] = {}
    for copy in _copies(service):
        for one in take(context, copy, _HOME):
            found.setdefault(one.path, posixpath.normpath(posixpath.join(folder, one.found.path)))
    return found
