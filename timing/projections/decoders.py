"""What the passings tell of the decoders themselves: numbers that never came, and clocks that do not agree at one place."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from timing.domain.crossings import ADDED_PREFIX, LAP_PREFIX, Crossing
from timing.domain.events import DecoderClockCorrected, Lap, Passing
from timing.domain.laps import CarLaps
from timing.domain.units import MILLISECOND, SECOND, format_duration
from timing.projections.anomaly import Anomaly, device, middle, named, suggested

if TYPE_CHECKING:
    from timing.projections.timing import Timing

Boot: TypeAlias = tuple[str, int]
"""A decoder (or, with the prefix of laps, a system that counts them) since it was last switched on."""

LEAST_OFFSET_US = 20 * MILLISECOND
"""Two decoders at one line that differ by less agree: loops and transponders are no better."""
_SPREAD_US = 10 * MILLISECOND
_PAIR_US = 30 * SECOND  # two reads farther apart are not of one crossing
_PAIRS = 6  # from so many on there is an estimate
_PAIRS_KEPT = 64  # of each car
_RANGES = 12  # written out; the others are counted


class Numbers(Struct):
    """The numbers that came from one boot of a decoder, in order of arrival until somebody asks, then sorted."""

    heard: list[int] = []
    sorted_to: int = 0
    gaps: list[tuple[int, int]] = []

    def missing(self) -> list[tuple[int, int]]:
        """Give the ranges (first and last) of the numbers that did not come, between those that did."""
        if self.sorted_to != len(self.heard):
            self.heard.sort()
            self.sorted_to = len(self.heard)
            whole = self.heard[-1] - self.heard[0] + 1 == len(self.heard)
            self.gaps = [] if whole else [(a + 1, b - 1) for a, b in pairwise(self.heard) if b - a > 1]
        return self.gaps


class _Pairs:
    """The reads of one car by two decoders at one place, paired: what the later name says minus what the earlier says, in µs."""

    def __init__(self, laps: CarLaps) -> None:
        self.laps = laps
        self.read = 0
        self.latest: dict[int, deque[Crossing]] = {}
        self.found: dict[tuple[Boot, Boot], deque[int]] = {}

    def extend(self, crossings: list[Crossing], places: tuple[int, ...]) -> None:
        """Take in the crossings not read yet. Two reads are of one crossing where each is the other's nearest."""
        for crossing in crossings[self.read :]:
            if crossing[2].startswith((LAP_PREFIX, ADDED_PREFIX)):
                continue
            latest = self.latest.setdefault(places[crossing[1]], deque(maxlen=4))
            latest.append(crossing)
            if len(latest) >= 3:
                self._pair(latest[-3], latest[-2], latest[-1], before=latest[0][0] if len(latest) == 4 else None)
        self.read = len(crossings)

    def _pair(self, one: Crossing, other: Crossing, after: Crossing, *, before: int | None) -> None:
        apart = other[0] - one[0]
        if one[2] == other[2] or apart > _PAIR_US or apart > after[0] - other[0] or (before is not None and apart >= one[0] - before):
            return
        a, b = sorted((one, other), key=lambda crossing: crossing[2])
        pair = ((a[2], a[3]), (b[2], b[3]))
        self.found.setdefault(pair, deque(maxlen=_PAIRS_KEPT)).append(b[0] - a[0])


class Decoders:
    """Watches the decoders of one session: ``take`` what arrived, then ask. It does no more than what is new asks for."""

    def __init__(self) -> None:
        self.numbers: dict[Boot, Numbers] = {}
        self.latest: dict[Boot, int] = {}
        self._loops: set[tuple[str, str]] = set()
        self._cars: dict[str, _Pairs] = {}

    def take(self, facts: Iterable[Passing | Lap]) -> None:
        """Take in facts, each once."""
        numbers, loops = self.numbers, self._loops
        for fact in facts:
            if isinstance(fact, Passing):
                boot = (fact.decoder, fact.boot)
                loops.add((fact.decoder, fact.loop))
            else:
                boot = (LAP_PREFIX + fact.source, fact.boot)
            known = numbers.get(boot)
            if known is None:
                known = numbers[boot] = Numbers(heard=[])
            known.heard.append(fact.number)
            if fact.at > self.latest.get(boot, 0):
                self.latest[boot] = fact.at

    def numbers_missing(self, timing: "Timing", *, settled_before: int) -> Iterator[Anomaly]:
        """Say of each decoder which numbers never came. A gap closed by a passing at ``settled_before`` or later may still be filled."""
        evidence = timing.evidence
        for (decoder, boot), numbers in sorted(self.numbers.items()):
            facts: dict[tuple[str, int, int], Passing] | dict[tuple[str, int, int], Lap]
            facts = evidence.lap_facts if decoder.startswith(LAP_PREFIX) else evidence.passings
            gaps = [(a, b) for a, b in numbers.missing() if facts[decoder, boot, b + 1].at < settled_before]
            if not gaps:
                continue
            count = sum(b - a + 1 for a, b in gaps)
            name = device(decoder)
            first = facts[decoder, boot, gaps[0][0] - 1]
            yield Anomaly(
                id=f"anomaly/numbers_missing/{name}/{boot}",
                kind="numbers_missing",
                at=first.at,
                text=f"{name[0].upper()}{name[1:]} (boot {boot}): {count} passing{'s' if count != 1 else ''} never came, "
                f"number{'s' if count != 1 else ''} {_ranges(gaps)}; ask for {'them' if count != 1 else 'it'} again",
                count=count,
                evidence=tuple(named((decoder, boot, n)) for a, b in gaps[:_RANGES] for n in (a - 1, b + 1)),
                data={"device": name.partition(" ")[2], "boot": boot, "numbers": _ranges(gaps)},
            )

    def offsets(self, timing: "Timing") -> Iterator[Anomaly]:
        """Say where two decoders at one place differ by a constant."""
        places = _places(timing)
        if not self._shared(timing, places):
            return
        together: dict[tuple[Boot, Boot], list[tuple[str, deque[int]]]] = {}
        for car, laps in timing.laps.items():
            pairs = self._cars.get(car)
            if pairs is None or pairs.laps is not laps:  # a car counted anew has other crossings than at its end
                pairs = self._cars[car] = _Pairs(laps)
            pairs.extend(timing.evidence.crossings[car], places)
            for pair, found in pairs.found.items():
                together.setdefault(pair, []).append((car, found))
        for (one, other), cars in sorted(together.items()):
            if anomaly := self._offset(timing, one, other, cars):
                yield anomaly

    def _offset(self, timing: "Timing", one: Boot, other: Boot, cars: list[tuple[str, deque[int]]]) -> Anomaly | None:
        differences = [us for _, found in cars for us in found]
        offset = middle(differences)
        spread = sorted(abs(us - offset) for us in differences)[len(differences) * 4 // 5]  # four in five are no farther off
        if len(differences) < _PAIRS or abs(offset) < LEAST_OFFSET_US or spread > max(_SPREAD_US, abs(offset) // 10):
            return None
        main, off = one, other
        if (len(self.numbers[other].heard), one) > (len(self.numbers[one].heard), other):
            main, off, offset = other, one, -offset
        (decoder, boot), at = off, self.latest[off]
        corrected = timing.evidence.placement.clock_correction(decoder, boot, at)
        correction = DecoderClockCorrected(
            id="-",
            decoder=decoder,
            boot=boot,
            offset_us=(corrected.offset_us if corrected else 0) - offset,
            reason=f"differs from {main[0]} by {format_duration(offset)} s in {len(differences)} crossings",
            by="timekeeper",
        )
        which = "late" if offset > 0 else "early"
        return Anomaly(
            id=f"anomaly/decoder_offset/{main[0]}/{main[1]}/{decoder}/{boot}",
            kind="decoder_offset",
            at=at,
            text=f"Decoder {decoder} (boot {boot}) is {format_duration(abs(offset))} s {which} against {main[0]} at the same loop: "
            f"{len(differences)} crossings by {len(cars)} car{'s' if len(cars) != 1 else ''}, spread {format_duration(spread)} s",
            count=len(differences),
            data={"decoder": decoder, "boot": boot, "against": main[0], "offset_us": offset},
            suggestion=suggested(correction),
        )

    def _shared(self, timing: "Timing", places: tuple[int, ...]) -> bool:
        """Say whether any place has two decoders."""
        index = timing.evidence.placement.loops
        decoders: dict[int, str] = {}
        return any(decoders.setdefault(places[index[loop]], name) != name for name, loop in self._loops if loop in index)


def _places(timing: "Timing") -> tuple[int, ...]:
    """Give for each loop the first one that stands at the same place: same line, same sector, same lane."""
    opened = timing.evidence.opened
    first: dict[tuple[str, int | None, bool, str], int] = {}
    loops = opened.circuit.loops if opened else ()
    return tuple(
        first.setdefault((loop.line, loop.sector, loop.pit, "" if loop.line == "finish" or loop.sector else loop.id), index)
        for index, loop in enumerate(loops)
    )


def _ranges(gaps: list[tuple[int, int]]) -> str:
    written = [str(a) if a == b else f"{a}-{b}" for a, b in gaps[:_RANGES]]
    return ", ".join(written) + (f" and {len(gaps) - _RANGES} more gaps" if len(gaps) > _RANGES else "")
