"""Which state of a session a sheet is made of: a published version as it was then, or the result as it stands."""

from collections.abc import Callable, Sequence

from timing.domain.errors import TimingError
from timing.projections.sheet import PARTS, Sheet, sheet
from timing.projections.sheet_parts import Part
from timing.projections.timing import Timing
from timing.projections.versions import Version, versions


def sheet_of(
    fold: Callable[[int | None], Timing], number: int | None, *, current: bool, parts: Sequence[Part] = ()
) -> tuple[Sheet, Version | None]:
    """Form a session's sheet: of version ``number``, or of the last one; where there is none, or ``current``, of the result as it stands.

    ``fold`` folds the session up to a record, or wholly. ``parts``: all where none is named.

    Returns:
        the sheet, and the version that it is of; ``None`` for the result as it stands.

    Raises:
        TimingError: there is no such version.

    """
    timing = fold(None)
    version = None if current else _chosen(timing, number)
    if version is not None:
        timing = fold(version.seq - 1)
    return sheet(timing, version, parts or tuple(PARTS)), version


def _chosen(timing: Timing, number: int | None) -> Version | None:
    published = versions(timing).versions
    if number is None:
        return published[-1] if published else None
    if not 1 <= number <= len(published):
        raise TimingError(f"{timing.session} has {len(published)} published results; there is no version {number}")
    return published[number - 1]
