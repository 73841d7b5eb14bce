# pyright: strict
"""What chaos found, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from engine.installation.chaos.fault import Fault
from engine.installation.chaos.measuring import FaultMeasures

HEAD = (
    "| fault | silence, ms: worst (all) | twice, s | frames off, ms | lower rungs, s | back after, s | |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class FaultReport:
    """What a fault cost each time.

    Attributes:
        fault: what was provoked.
        times: what was measured.
        control: without any fault.
        left_out: why it was not provoked at all; empty if it was.
    """

    fault: Fault
    times: tuple[FaultMeasures, ...]
    control: FaultMeasures | None
    left_out: str = ""

    @property
    def missed(self) -> list[str]:
        """The bars that were missed, in words, each once."""
        return list(dict.fromkeys(what for one in self.times for what in one.missed(self.fault, self.control)))

    @property
    def row(self) -> str:
        """A line of the table."""
        if self.left_out:
            return f"| {self.fault.name} | | | | | | left out: {self.left_out} |"
        done = [one for one in self.times if not one.problem]
        if not done:
            return f"| {self.fault.name} | | | | | | **{'; '.join(self.missed)}** |"
        gaps = [f"{1000 * one.silence:.0f}" for one in done]
        drifts = [one.drift for one in done if one.drift is not None]
        worst = max(drifts, key=abs, default=None)
        rungs: dict[str, float] = {}
        for one in done:
            for rung, seconds in one.rungs:
                rungs[rung] = max(rungs.get(rung, 0.0), seconds)
        back = [one.restored for one in done]
        cells = [
            self.fault.name,
            f"**{max(1000 * one.silence for one in done):.0f}** ({', '.join(gaps)})",
            f"{max(one.repeated for one in done):.1f}",
            "" if worst is None else f"{1000 * worst:+.0f}",
            ", ".join(f"{rung} {seconds:.1f}" for rung, seconds in rungs.items()),
            "never" if None in back else f"{max(one or 0.0 for one in back):.1f}",
            "met" if not self.missed else f"**{'; '.join(self.missed)}**",
        ]
        return f"| {' | '.join(cells)} |"


def as_table(reports: Sequence[FaultReport]) -> str:
    """All of it in Markdown."""
    return "\n".join([HEAD, *(report.row for report in reports)])


def as_json(reports: Sequence[FaultReport]) -> str:
    """All of it for machines."""
    rows = [
        {
            "fault": report.fault.name,
            "missed": report.missed,
            "left_out": report.left_out,
            "times": [asdict(one) | {"rungs": dict(one.rungs)} for one in report.times],
        }
        for report in reports
    ]
    return json.dumps(rows, indent=2)
