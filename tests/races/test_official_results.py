"""Real races, scored from their events, give their official results; in any order of arrival."""

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from timing.log.event_log import MemoryLog
from timing.log.record import Record, draft
from timing.log.session_file import read_lines
from timing.projections.decider import Decider, Refusal
from timing.projections.result import result_json
from timing.projections.timing import Timing
from timing.services.rulebooks import Rulebooks
from timing.services.scoring import score_file

pytestmark = pytest.mark.races
