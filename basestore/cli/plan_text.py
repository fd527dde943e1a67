"""A plan in lines for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from basestore.cli.diff_text import amount, told
from basestore.cli.terminal import columns, count, size
from basestore.pipeline.layers import total
from basestore.pipeline.lock_state import LockState
from basestore.recipe.model import ApplicationRecipe

_SHORT = 12  # digits of a digest, as engines show them

if TYPE_CHECKING:
    from basestore.pipeline.plan import BuildPlan, LayerToMake, PlatformPlan, ProfilePlan, PushPlan


def lines_of(plan: "ProfilePlan", push: "PushPlan | None") -> Iterator[str]:
    """What would be done with a profile."""
    yield f"{plan.profile}: {headline(plan)}"
    for reason in plan.reasons if plan.lock is not LockState.MISSING else ():
        yield _row(plan.lock.value, str(reason))
    if plan.lock is LockState.STALE and plan.build:
        yield _row("", f"`build` takes it as it is; first run {_lock(plan)}")
    if plan.build:
        yield from _steps(plan.build)
        yield from (_row("push", line) for line in sent(plan.build, push))


def _steps(build: "BuildPlan") -> Iterator[str]:
    if build.base:
        yield _row("base", base_of(build))
    for one in build.platforms if not build.whole else ():
        yield _row("build", layers_of(one))
        rows = [(amount(made.layer.bytes), made.layer.label, why(build, made)) for made in one.made]
        yield from (f"    {line}" for line in columns(rows, right=(0,)))
    if build.fetch:
        yield _row("fetch", fetched(build))


def _row(label: str, text: str) -> str:
    return f"  {label:<9}  {text}"


def headline(plan: "ProfilePlan") -> str:
    """What would be done, in a few words."""
    if plan.build is None:
        if plan.dockerfile:
            return f"an engine builds it from {plan.dockerfile}, whose layers nobody knows before"
        if plan.lock is LockState.MISSING:
            return f"no lock; run {_lock(plan)}"
        return f"stale; first run {_lock(plan)}" if plan.to_lock else "nothing can be done"
    done = _to_build(plan.build)
    return done if plan.lock is LockState.FRESH else f"{plan.lock.value}; {done}"


def _lock(plan: "ProfilePlan") -> str:
    return f"`basestore lock {' '.join(plan.to_lock or (plan.profile,))}`"


def _to_build(build: "BuildPlan") -> str:
    if build.whole:
        return "nothing to build"
    layers = count(len(build.layers), "layer")
    return f"{len(build.made)} of {layers} to make" if build.made else f"{layers} to put together"


def base_of(build: "BuildPlan") -> str:
    """What a service would stand on."""
    if build.base_image:
        return f"{build.base}@{build.base_image.hex[:_SHORT]}"
    return f"{build.base} is not here: it is built first"


def layers_of(platform: "PlatformPlan") -> str:
    """How many layers of a platform would be made."""
    kept = len(platform.layers) - len(platform.made)
    return f"{platform.platform}: {count(len(platform.made), 'layer')} to make, {kept} there"


def why(build: "BuildPlan", made: "LayerToMake") -> str:
    """Why a layer would be made."""
    if isinstance(made.layer.recipe, ApplicationRecipe):
        return "its files have changed" if build.before else "not made here yet"
    if build.before is None:
        return "not made here yet"
    return told(made.causes)


def fetched(build: "BuildPlan") -> str:
    """What would be fetched."""
    return f"{size(sum(build.fetch.values()))} in {count(len(build.fetch), 'file')}"


def sent(build: "BuildPlan", push: "PushPlan | None") -> Iterator[str]:
    """What would be sent, as the registry says, or as far as can be told without it."""
    if push is None:
        everything, fresh = total(build.layers), total(build.fresh)
        text = (
            f"at most {amount(everything)}"
            if everything.exact
            else f"about {size(everything.size)}"
        )
        if fresh.size < everything.size:
            text += f"; {amount(fresh)} if the registry has the other recorded images"
        yield text
    elif push.pushed:
        yield f"nothing: {push.repository} has the tag"
    else:
        yield f"{amount(push.bytes)} to {push.repository}, {count(len(push.sent), 'layer')}"
