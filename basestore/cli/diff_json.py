"""A diff as JSON for machines."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from basestore.lock.changelog import Line, changelog

if TYPE_CHECKING:
    from basestore.digest import Digest
    from basestore.pipeline.diff import LayersDiff, ProfileDiff
    from basestore.pipeline.layers import Bytes
    from basestore.recipe.causes import Cause


def to_json(diff: "ProfileDiff") -> Mapping[str, object]:
    """A profile's diff."""
    log = changelog(diff.lock)
    return {
        "profile": diff.profile,
        "base": diff.base or None,
        "base_changed": diff.base_changed,
        "old": _digest(diff.old),
        "new": _digest(diff.new),
        "changed": diff.old != diff.new,
        "packages": [_line(line) for line in log.wheels],
        "debs": [_line(line) for line in log.debs],
        "settings": [
            {"name": one.name, "old": one.old, "new": one.new} for one in diff.lock.settings
        ],
        "dockerfile": diff.dockerfile or None,
        "platforms": [_layers(one) for one in diff.layers],
    }


def bytes_json(found: "Bytes") -> Mapping[str, object]:
    """Bytes, and whether they are known or told by the sizes of wheels and .debs."""
    return {"bytes": found.size, "exact": found.exact}


def cause_json(cause: "Cause") -> Mapping[str, object]:
    """Why a layer is new."""
    return {"why": cause.why.name.lower(), "name": cause.name, "old": cause.old, "new": cause.new}


def _digest(digest: "Digest | None") -> str | None:
    return str(digest) if digest else None


def _line(line: Line) -> Mapping[str, object]:
    return {
        "name": line.name,
        "old": line.old,
        "new": line.new,
        "jump": line.jump.value if line.jump else None,
        "back": line.back,
        "from": line.moved,
        "platforms": {
            str(platform): {"old": old, "new": new} for platform, (old, new) in line.sizes.items()
        },
    }


def _layers(layers: "LayersDiff") -> Mapping[str, object]:
    return {
        "platform": str(layers.platform),
        "kept": layers.kept,
        "new": [
            {
                "packages": list(one.layer.recipe.packages),
                "size": bytes_json(one.layer.bytes),
                "causes": [cause_json(cause) for cause in one.causes],
            }
            for one in layers.made
        ],
        "new_of_base": len(layers.below),
        "pull": bytes_json(layers.pull),
        "pull_with_graph_driver": bytes_json(layers.pull_in_order),
    }
