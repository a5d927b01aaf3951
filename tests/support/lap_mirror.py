"""What a chart keeps of the laps of a session: it asks now and then with its last mark, and takes in what came."""

import msgspec

from timing.projections.lap_data import Columns, LapData, LapsDocument, laps_json
from timing.projections.timing import Timing


class Mirror:
    """What a chart keeps: it asks with its last mark, and takes in what came."""

    def __init__(self) -> None:
        self.mark: str | None = None
        self.cars: dict[str, Columns] = {}
        self.sent = 0

    def ask(self, timing: Timing) -> LapsDocument:
        told = msgspec.json.decode(laps_json(timing, self.mark, sectors=True), type=LapsDocument)
        self.mark = told.mark
        if told.whole:
            self.cars = {}
        for car, new in told.cars.items():
            old = self.cars.get(car, Columns(0, [], [], {}, [], []))
            assert new.from_ <= len(old.ends_us)
            keep = new.from_
            tags = {lap: tags for lap, tags in old.tags.items() if lap <= keep}
            assert not isinstance(old.sectors_us, msgspec.UnsetType)
            assert not isinstance(new.sectors_us, msgspec.UnsetType)
            self.cars[car] = Columns(
                0,
                [*old.ends_us[:keep], *new.ends_us],
                [*old.times_us[:keep], *new.times_us],
                tags | new.tags,
                new.drivers,
                [*old.sectors_us[:keep], *new.sectors_us],
            )
            self.sent += len(new.ends_us)
        return told


def whole(timing: Timing) -> dict[str, Columns]:
    """Give what one knows who asks for the first time, of a session of which nobody knew anything."""
    timing.lap_data = LapData()
    mirror = Mirror()
    mirror.ask(timing)
    return mirror.cars


def with_laps(cars: dict[str, Columns]) -> dict[str, Columns]:
    """Leave out the cars of which no lap is left."""
    return {car: columns for car, columns in cars.items() if columns.ends_us}
