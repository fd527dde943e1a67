"""The table that a run gives, as lines and as a page."""

from collections.abc import Sequence

from mutations.model import Check, Result
from mutations.unseen import UNSEEN

PAGE = """# Mutations

Written by `make mutations`, which does this for real: a project of three profiles and two services
is locked, built, pushed and committed; each change is made in a copy of it, and the check that has
to find it is run. {found} changes were found, {harmless} harmless ones raised no alarm, {wrong}
went wrong; {seconds:.0f} seconds on this machine.

What a pull request may hold is found by what CI runs on every change:

```sh
basestore lock --check --resolve --since "$BASE" && basestore verify --since "$BASE"
```

*told*: lock, origin, images and services file agree, as somebody writes them who has the whole
tool. *built*: the forged lock was built and pushed, and its image is recorded. Unchanged images are
not built for it: *made* is how many layers the check made, never more than the change brings.

## What is found

{tables}

## What is harmless

| change | |
|---|---|
{quiet}

## What can't be found

{unseen}

Tried as well, so that it is known when one of them is found: {tried}.
"""

_TABLE = """### By `basestore {check}`

| change | what | by | exit | made |
|---|---|---|---|---|
{rows}
"""


def rows(results: Sequence[Result]) -> list[str]:
    """A line each."""
    return [
        f"{'WRONG ' if one.wrong else ''}{one.mutation.name}: "
        f"{one.wrong or one.by or 'no alarm'} {one.code or ''} {one.said[:160]} "
        f"({one.seconds:.1f}s)"
        for one in results
    ]


def page(results: Sequence[Result], seconds: float) -> str:
    """The page of a run."""
    none = [one for one in results if one.mutation.check is Check.NOBODY]
    quiet = [one for one in none if one.mutation.kind != "unseen"]
    tables = [
        _TABLE.format(check=check.value, rows="\n".join(map(_row, found)))
        for check in Check
        if check is not Check.NOBODY
        and (found := [one for one in results if one.mutation.check is check])
    ]
    return PAGE.format(
        found=sum(not one.wrong for one in results) - sum(not one.wrong for one in none),
        harmless=sum(not one.wrong for one in quiet),
        wrong=sum(bool(one.wrong) for one in results),
        seconds=seconds,
        tables="\n".join(tables).rstrip(),
        quiet="\n".join(f"| {o.mutation.name} | {o.mutation.said} |" for o in quiet),
        unseen="\n".join(f"- **{what}.** {why}" for what, why in UNSEEN),
        tried=", ".join(f"{o.mutation.name}" for o in none if o not in quiet),
    )


def _row(one: Result) -> str:
    mutation = one.mutation
    by = " ".join(word for word in one.by.split() if word not in ("basestore", "BASE"))
    made = one.made or ""
    return f"| {mutation.name} | {mutation.said} | {one.wrong or f'`{by}`'} | {one.code} | {made} |"
