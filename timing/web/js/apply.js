// The frames of the feed: a snapshot, then deltas. `apply(snapshot, delta)` is the next snapshot; nothing given is changed, and
// what a delta does not touch stays the same object, so that a screen sees by identity what it need not draw again.

export const MESSAGES_KEPT = 200;

/** The state after `frame`; `state` is the snapshot before it, or null before the first. */
export function apply(state, frame) {
  if (frame.kind === "snapshot") return frame;
  return {
    ...state,
    rev: frame.rev,
    seq: frame.seq,
    at: frame.at,
    session: changed(state.session, frame.session),
    order: frame.order ?? state.order,
    rows: applyRows(state.rows, frame.rows, frame.gone),
    messages: applyMessages(state.messages, frame.messages),
  };
}

function changed(whole, fields) {
  return fields && Object.keys(fields).length > 0 ? { ...whole, ...fields } : whole;
}

function applyRows(rows, changes, gone) {
  const touched = Object.keys(changes ?? {});
  if (touched.length === 0 && !gone?.length) return rows;
  const next = { ...rows };
  for (const car of gone ?? []) delete next[car];
  for (const car of touched) next[car] = { ...next[car], ...changes[car] };
  return next;
}

function applyMessages(messages, more) {
  if (!more?.length) return messages;
  const next = [...messages];
  for (const message of more) {
    const known = next.findIndex((each) => each.id === message.id);
    if (known < 0) next.push(message);
    else next[known] = message;
  }
  return next.slice(-MESSAGES_KEPT);
}

/**
 * What a client holds of one session. `take(frame)` says what became of the frame:
 * "applied", "ignored" (seen before, or not a frame), or "resync" (a gap or another epoch: a snapshot is needed).
 */
export class Replica {
  state = null;

  take(frame) {
    if (frame?.kind === "snapshot") return this.#takeSnapshot(frame);
    if (frame?.kind !== "delta") return "ignored";
    if (this.state === null || frame.epoch !== this.state.epoch) return "resync";
    if (frame.rev <= this.state.rev) return "ignored";
    if (frame.rev > this.state.rev + 1) return "resync";
    this.state = apply(this.state, frame);
    return "applied";
  }

  #takeSnapshot(frame) {
    if (this.state !== null && frame.epoch === this.state.epoch && frame.rev < this.state.rev) return "ignored";
    this.state = apply(this.state, frame);
    return "applied";
  }
}
