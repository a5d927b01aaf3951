// Race control's list: the newest first.

import { messageText } from "./decisions.js";
import { h } from "./elements.js";
import { timeOfDay } from "./format.js";
import { t } from "./texts.js";

const SHOWN = 60;

export class Messages {
  jump = null; // in a replay: `jump(message)` goes to a message's moment
  #drawn = null;
  #items = new Map(); // id -> {message, element}

  constructor(root) {
    root.querySelector("h2").textContent = t("messages.title");
    this.list = root.querySelector("ol");
    this.none = root.querySelector(".none");
    this.none.textContent = t("messages.none");
  }

  /** Show `messages` as the feed keeps them, oldest first. What only the tower needs (anomalies, candidates for a ruling) stays out. */
  render(messages) {
    if (messages === this.#drawn) return;
    this.#drawn = messages;
    const shown = messages.filter(({ kind }) => kind !== "anomaly" && kind !== "candidate").slice(-SHOWN).reverse();
    this.none.hidden = shown.length > 0;
    const items = new Map();
    for (const message of shown) {
      const kept = this.#items.get(message.id);
      items.set(message.id, kept?.message === message ? kept : { message, element: draw(message, this.jump) });
    }
    this.#items = items;
    const elements = [...items.values()].map(({ element }) => element);
    if (!sameChildren(this.list, elements)) this.list.replaceChildren(...elements);
  }
}

function sameChildren(parent, elements) {
  return parent.children.length === elements.length && elements.every((element, i) => parent.children[i] === element);
}

function draw(message, jump) {
  const { at, kind, text, car, facts, struck } = message;
  const item = document.createElement("li");
  item.className = `message m-${kind}${struck ? " struck" : ""}${flagOf(facts)}`;
  const time = item.appendChild(document.createElement("time"));
  time.dateTime = new Date(at / 1000).toISOString();
  if (jump) time.append(h("button", { type: "button", textContent: timeOfDay(at), title: t("replay.message", { time: timeOfDay(at) }), onclick: () => jump(message) }));
  else time.textContent = timeOfDay(at);
  const words = item.appendChild(document.createElement("p"));
  if (car) {
    const plate = words.appendChild(document.createElement("span"));
    plate.className = "number";
    plate.textContent = car;
  }
  words.append(messageText({ text, facts }));
  return item;
}

function flagOf(facts) {
  return facts?.type === "track_status" ? ` flag-${facts.status}` : "";
}
