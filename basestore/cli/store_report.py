"""What `basestore store verify` found, for people and for machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basestore.cli.terminal import count, hint, say, size, warn

if TYPE_CHECKING:
    from basestore.digest import Digest
    from basestore.pipeline.store_info import Root
    from basestore.pipeline.store_packages import Naming, Packages
    from basestore.pipeline.store_repair import Repaired
    from basestore.store.check import Checked, Damage


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. ``packages``: None where they were not looked into.

    ``names``: what locks call the packages of the store, if anything is damaged.
    """

    checked: "Checked"
    repaired: "tuple[Repaired, ...]"
    packages: "Packages | None"
    roots: "tuple[Root, ...]"
    names: "Mapping[Digest, str]"

    def name(self, damage: "Damage") -> str:
        """What the damaged file is called; empty of what has no name."""
        return self.names.get(damage.digest, "") if damage.digest else ""


def show(report: Report) -> None:
    """Print it for people."""
    checked = report.checked
    say(
        f"{count(checked.blobs, 'blob')} with {size(checked.bytes)}, "
        f"{count(checked.layers, 'layer')}, {count(checked.recipes, 'recipe')}, "
        f"{count(checked.roots, 'root')}: {count(len(checked.damage), 'damaged file')}"
    )
    for one in report.repaired:
        _show_damage(report, one.damage)
        say(f"    {one.outcome}")
    reasons = dict.fromkeys(reason for one in report.repaired for reason in one.reasons)
    for reason in reasons:
        warn(reason)
    if reasons:
        hint(
            "what could not be brought back comes with the next `basestore build` that can have it"
        )
    for damage in checked.damage if not report.repaired else ():
        _show_damage(report, damage)
    if checked.damage and not report.repaired:
        hint("run `basestore store verify --repair`")
    if checked.incomplete:
        say(f"  {count(len(checked.incomplete), 'layer')} not whole, counted as not there")
    for root in report.roots:
        if root.state:
            warn(f"{root.project}: {root.state}")
    _show_packages(report.packages)


def _show_damage(report: Report, damage: "Damage") -> None:
    name = report.name(damage)
    say(f"  {damage}{f' ({name})' if name else ''}")


def _show_packages(packages: "Packages | None") -> None:
    if packages is None:
        return
    say(
        f"{count(packages.checked, 'package')} held to their own lists of files: "
        f"{len(packages.untrue)} untrue, {len(packages.excepted)} excepted"
    )
    for untrue in packages.untrue:
        named = ", ".join(map(str, untrue.package.strict))
        say(f"  {untrue.error.message}; locked by {named}")
    for one in packages.excepted:
        reasons = ", ".join(f"by {by}: {by.reason}" for by in one.package.namings)
        say(f"  {one.package.label}: {one.compared}; excepted {reasons}")
    for way_out in dict.fromkeys(untrue.error.hint for untrue in packages.untrue):
        hint(way_out)


def _packages_json(packages: "Packages | None") -> dict[str, object]:
    if packages is None:
        return {}
    return {
        "packages": packages.checked,
        "untrue": [
            {
                "package": one.package.label,
                "digest": str(one.package.artifact.sha256),
                "reason": one.error.message,
                "hint": one.error.hint,
                "named_by": [_naming_json(naming) for naming in one.package.namings],
            }
            for one in packages.untrue
        ],
        "excepted": [
            {
                "package": one.package.label,
                "digest": str(one.package.artifact.sha256),
                "files": one.compared.files,
                "faults": list(one.compared.faults),
                "named_by": [_naming_json(naming) for naming in one.package.namings],
            }
            for one in packages.excepted
        ],
    }


def _naming_json(naming: "Naming") -> dict[str, str]:
    """A lock; ``exception``: why it excepts the package, empty where it doesn't."""
    return {
        "project": str(naming.project),
        "profile": naming.name,
        "exception": naming.reason,
    }


def to_json(report: Report) -> dict[str, object]:
    """The same for machines."""
    checked = report.checked
    outcomes = {one.damage.path: one for one in report.repaired}
    return {
        "blobs": checked.blobs,
        "bytes": checked.bytes,
        "layers": checked.layers,
        "recipes": checked.recipes,
        "damage": [
            {
                "what": one.what,
                "path": str(one.path),
                "name": report.name(one) or None,
                "reason": one.reason,
                **(
                    {"outcome": found.outcome.name.lower(), "causes": list(found.reasons)}
                    if (found := outcomes.get(one.path))
                    else {}
                ),
            }
            for one in checked.damage
        ],
        "incomplete": list(map(str, checked.incomplete)),
        "roots": [{"project": str(one.project), "state": one.state} for one in report.roots],
        **_packages_json(report.packages),
    }
