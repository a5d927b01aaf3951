// A replay by keyboard: which key does what, and the help that lists them.

import { h } from "./elements.js";
import { t } from "./texts.js";

const SECOND_US = 1_000_000;

// Key, what is written for it in the help, its text, what it does. In the order of the help.
const KEYS = [
  [[" ", "k"], "K", "replay.play_pause", (bar) => bar.replay.toggle()],
  [["ArrowLeft"], "←", "replay.back_10", (bar) => bar.by(-10 * SECOND_US)],
  [["ArrowRight"], "→", "replay.on_10", (bar) => bar.by(10 * SECOND_US)],
  [["Shift+ArrowLeft", "PageDown"], "Shift ←", "replay.back_60", (bar) => bar.by(-60 * SECOND_US)],
  [["Shift+ArrowRight", "PageUp"], "Shift →", "replay.on_60", (bar) => bar.by(60 * SECOND_US)],
  [["j"], "J", "replay.lap_back", (bar) => bar.lap(-1)],
  [["l"], "L", "replay.lap_on", (bar) => bar.lap(1)],
  [["["], "[", "replay.mark_back", (bar) => bar.mark("previous")],
  [["]"], "]", "replay.mark_on", (bar) => bar.mark("next")],
  [[","], ",", "replay.frame_back", (bar) => bar.replay.step(-1, "frame")],
  [["."], ".", "replay.frame_on", (bar) => bar.replay.step(1, "frame")],
  [["<", ";"], "<", "replay.record_back", (bar) => bar.replay.step(-1, "record")],
  [[">", ":"], ">", "replay.record_on", (bar) => bar.replay.step(1, "record")],
  [["-"], "−", "replay.slower", (bar) => bar.speed(-1)],
  [["+", "="], "+", "replay.faster", (bar) => bar.speed(1)],
  [["Home"], "Home", "replay.to_start", (bar) => bar.replay.seek({ place: "start" })],
  [["t"], "T", "replay.other_knowing", (bar) => bar.replay.know(bar.replay.told?.known === "now" ? "then" : "now")],
  [["d"], "D", "replay.differs.title", (bar) => bar.differing.open()],
  [["m"], "M", "replay.marks", (bar) => bar.moments.open()],
  [["?"], "?", "replay.keys", (bar) => bar.help.showModal()],
];
// Keys that keyboards of other languages name otherwise.
const inWords = (written) => written.replace(/Shift|Home/, (key) => t(`replay.key_${key.toLowerCase()}`));
const ACTIONS = new Map(KEYS.flatMap(([keys, , , act]) => keys.map((key) => [key, act])));
const ON_SLIDER = new Set(["Home", "PageUp", "PageDown"]); // elsewhere they move what is focused, or the page

/** Listen to the keys for a bar; a key that something else has use for is left alone. */
export function listen(bar, slider) {
  document.addEventListener("keydown", (event) => {
    const { key, shiftKey, target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const name = shiftKey && key.startsWith("Arrow") ? `Shift+${key}` : key.length === 1 ? key.toLowerCase() : key;
    const act = ACTIONS.get(name);
    if (!act || !bar.replay.told || taken(target, key, slider)) return;
    event.preventDefault();
    act(bar);
  });
}

function taken(target, key, slider) {
  if (target === slider) return false;
  if (ON_SLIDER.has(key)) return true;
  if (target.closest("input, select, textarea, [contenteditable]")) return true;
  return key === " " && target.closest("button, a, summary") !== null;
}

/** The help as a dialog. */
export function helpDialog() {
  const rows = KEYS.map(([keys, written, text]) => h("div", {}, h("dt", {}, keys.includes(" ") ? [h("kbd", { textContent: t("replay.key_space") }), " "] : [], h("kbd", { textContent: inWords(written) })), h("dd", { textContent: t(text) })));
  return dialog("replay-help", t("replay.keys"), h("dl", { className: "keys" }, rows));
}

/** A dialog with a title and a way out. */
export function dialog(id, title, ...content) {
  const made = h("dialog", { className: "dialog", id });
  made.setAttribute("aria-labelledby", `${id}-title`);
  const close = h("button", { type: "button", className: "button", textContent: t("settings.close"), onclick: () => made.close() });
  made.append(h("header", { className: "dialog-head" }, h("h2", { id: `${id}-title`, textContent: title }), close), h("div", { className: "dialog-body" }, content.flat()));
  made.onclick = ({ target }) => target === made && made.close();
  return made;
}
