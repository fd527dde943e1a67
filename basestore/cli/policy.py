"""Words for what policies refuse, and only warn of."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from basestore.cli.terminal import warn

if TYPE_CHECKING:
    from basestore.lock.policy import Hit


def tell_warnings(profile: str, hits: "Iterable[Hit]") -> None:
    """A line for each hit that is only a warning, on standard error."""
    for hit in hits:
        warn(f"{profile}: {hit}")


def hits_to_json(hits: "Sequence[Hit]") -> list[dict[str, object]]:
    """Hits for machines."""
    return [
        {
            "rule": hit.rule.key,
            "file": hit.rule.place.file,
            "line": hit.rule.place.line,
            "packages": list(hit.packages),
            "platforms": [str(platform) for platform in hit.platforms],
            "paths": [{"place": str(path.place), "names": list(path.names)} for path in hit.paths],
            "text": str(hit),
            "reason": hit.waiver.reason if hit.waiver else None,
            "until": hit.waiver.until.isoformat() if hit.waiver else None,
        }
        for hit in hits
    ]
