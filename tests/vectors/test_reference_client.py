"""The feed's reference gives a client in JavaScript; it is held to the vectors like everyone else's."""

import shutil
import subprocess
from pathlib import Path

import pytest

VECTORS = Path(__file__).with_name("frames.json")
FEED = VECTORS.parent.parent.parent / "docs" / "feed.md"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not there; the browser tests run the vectors in Chromium")
def test_the_javascript_of_the_reference_gives_what_the_vectors_say(tmp_path: Path) -> None:
    program = tmp_path / "client.mjs"
    checks = """
import { readFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert";
const { apply: cases, streams } = JSON.parse(readFileSync(process.argv[2]));
for (const { snapshot, deltas, expected } of cases) deepStrictEqual(deltas.reduce(apply, snapshot), expected);
for (const { name, steps } of streams) {
  let socket, shown = null, sent = 0, asked = false;
  globalThis.WebSocket = class { constructor() { socket = this; } send() { sent += 1; } };
  watch("", (state) => { shown = state; });
  for (const { frame, verdict, state } of steps) {
    const before = sent;
    socket.onmessage({ data: JSON.stringify(frame) });
    deepStrictEqual(shown, state, name);
    deepStrictEqual(sent - before, verdict === "resync" && !asked ? 1 : 0, name);
    asked = verdict === "resync" || (asked && verdict === "ignored");
  }
}
console.log(cases.length, streams.length);
"""
    document = FEED.read_text(encoding="utf-8")
    program.write_text(document.split("```js\n")[1].split("```")[0] + checks, encoding="utf-8")
    done = subprocess.run(["node", program, VECTORS], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(int(count) >= 12 for count in done.stdout.split())
