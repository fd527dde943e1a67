"""A plan as Markdown, for the comment of a pull request."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from basestore.cli.diff_text import amount
from basestore.cli.markdown import escaped, folded, markdown_table
from basestore.cli.plan_text import base_of, fetched, headline, layers_of, sent, why
from basestore.cli.terminal import count
from basestore.pipeline.lock_state import LockState

if TYPE_CHECKING:
    from basestore.pipeline.plan import BuildPlan, PlatformPlan, ProfilePlan, PushPlan


def lines_of(plan: "ProfilePlan", push: "PushPlan | None") -> Iterator[str]:
    """What would be done with a profile."""
    yield f"### {escaped(plan.profile)}: {escaped(headline(plan))}"
    yield ""
    for reason in plan.reasons if plan.lock is not LockState.MISSING else ():
        yield f"- lock {plan.lock.value}: {escaped(str(reason))}"
    if plan.build:
        yield from _steps(plan.build, push)
    yield ""
    for one in plan.build.platforms if plan.build else ():
        yield from _layers(plan.build, one)


def _steps(build: "BuildPlan", push: "PushPlan | None") -> Iterator[str]:
    if build.base:
        yield f"- base {escaped(base_of(build))}"
    if not build.whole:
        yield from (f"- build {layers_of(one)}" for one in build.platforms)
    if build.fetch:
        yield f"- fetch {fetched(build)}"
    yield from (f"- push {escaped(line)}" for line in sent(build, push))


def _layers(build: "BuildPlan | None", platform: "PlatformPlan") -> Iterator[str]:
    if build and platform.made:
        rows = [(m.layer.label, why(build, m), amount(m.layer.bytes)) for m in platform.made]
        shown = markdown_table(("layer", "why", "size:"), rows)
        yield from folded(f"{count(len(rows), 'layer')} to make on {platform.platform}", shown)
