"""The replay's figures as a table for people, and as a document for machines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.replay.simulation import Costs


@dataclass(frozen=True, slots=True)
class Row:
    """One plan's costs, and what one layer for all wheels costs instead."""

    section: str
    plan: str
    costs: Costs
    one_layer: Costs

    @property
    def pushed(self) -> float:
        """Of the bytes that one layer pushes."""
        return self.costs.pushed / self.one_layer.pushed

    @property
    def pulled(self) -> float:
        """Of the bytes that an engine with a graph driver pulls of one layer."""
        return self.costs.pulled / self.one_layer.pulled


def markdown(rows: Sequence[Row]) -> str:
    """One table a section. A gigabyte is 10^9 bytes; in brackets the most layers of any week."""
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(row.section, []).append(row)
    return "\n".join(line for name, part in sections.items() for line in _section(name, part))


def document(rows: Sequence[Row]) -> Sequence[Mapping[str, object]]:
    """One entry a row, sizes in bytes."""
    return [
        {
            "section": row.section,
            "plan": row.plan,
            "pushed": row.costs.pushed,
            "pulled": row.costs.pulled,
            "pulled_blobs_kept": row.costs.pushed,
            "pushed_ratio": round(row.pushed, 4),
            "pulled_ratio": round(row.pulled, 4),
            "layers": row.costs.layers,
            "most_layers": row.costs.most_layers,
        }
        for row in rows
    ]


def _section(name: str, rows: Sequence[Row]) -> Iterator[str]:
    width = max(len(name), *(len(row.plan) for row in rows))
    yield f"| {name:{width}} | pushed, GB | of one layer | pulled, GB | of one layer |    layers |"
    yield f"|{'-' * (width + 2)}|{'-----------:|-------------:|' * 2}----------:|"
    for row in rows:
        yield (
            f"| {row.plan:{width}} | {row.costs.pushed / 1e9:10.3f} | {row.pushed:12.3f} "
            f"| {row.costs.pulled / 1e9:10.3f} | {row.pulled:12.3f} | {_layers(row.costs):>9} |"
        )
    yield ""


def _layers(costs: Costs) -> str:
    """The number at the end, and the largest where that is another."""
    most = f" ({costs.most_layers})" if costs.most_layers > costs.layers else ""
    return f"{costs.layers}{most}"
