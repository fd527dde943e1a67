"""A plan as JSON for machines."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from basestore.cli.diff_json import bytes_json, cause_json
from basestore.pipeline.layers import total

if TYPE_CHECKING:
    from basestore.pipeline.plan import BuildPlan, LayerToMake, ProfilePlan, PushPlan


def to_json(plan: "ProfilePlan", push: "PushPlan | None") -> Mapping[str, object]:
    """What would be done with a profile."""
    return {
        "profile": plan.profile,
        "lock": plan.lock.value,
        "reasons": [{"text": one.text, "file": one.file, "line": one.line} for one in plan.reasons],
        "tag": plan.tag,
        "dockerfile": plan.dockerfile or None,
        "build": _build(plan.build) if plan.build else None,
        "push": _push(plan.build, push) if plan.build else None,
    }


def _build(build: "BuildPlan") -> Mapping[str, object]:
    return {
        "needed": not build.whole,
        "base": build.base,
        "base_image": str(build.base_image) if build.base_image else None,
        "image": str(build.image) if build.image else None,
        "compared_with": str(build.before) if build.before else None,
        "fetch": {"files": len(build.fetch), "bytes": sum(build.fetch.values())},
        "platforms": [
            {
                "platform": str(one.platform),
                "kept": len(one.layers) - len(one.made),
                "made": [_layer(made) for made in one.made],
            }
            for one in build.platforms
        ],
    }


def _layer(made: "LayerToMake") -> Mapping[str, object]:
    return {
        "packages": list(made.layer.recipe.packages),
        "size": bytes_json(made.layer.bytes),
        "causes": [cause_json(cause) for cause in made.causes],
    }


def _push(build: "BuildPlan", push: "PushPlan | None") -> Mapping[str, object]:
    """``repository``: None where no registry was asked; ``send`` is then the most there can be."""
    if push is None:
        everything, fresh = bytes_json(total(build.layers)), bytes_json(total(build.fresh))
        return {"repository": None, "send": everything, "in_no_other_image": fresh}
    return {
        "repository": push.repository,
        "needed": not push.pushed,
        "layers": len(push.sent),
        "send": bytes_json(push.bytes),
    }
