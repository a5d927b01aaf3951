// How parts become elements: a cell is a list of parts, each a text or `[class, text or parts, title?]`, and is touched only where they differ.

import { t } from "./texts.js";

/** The head of a column. */
export function headCell({ id, label, labels, align, cut }) {
  const cell = element("div", `cell ${align} ${kindOf(id)}`, "columnheader");
  cell.append(...(labels?.length ? labels.map((each) => paintPart(["sector", each])) : [cut ? paintPart(["cut", label, label]) : label]));
  return cell;
}

/** What a column looks like: those of points look alike, whichever championship they are of. */
export function kindOf(id) {
  return `c-${id.split(":", 1)[0]}`;
}

/** Let a cell read as its `parts` say. */
export function paintCell(cell, parts) {
  const key = JSON.stringify(parts);
  if (cell.key === key) return;
  cell.key = key;
  patch(cell, cell.parts ?? [], parts);
  cell.parts = parts;
}

// Where only words differ, the elements stay: another element is matched with the style sheets and laid out anew, a text only written.
function patch(parent, before, parts) {
  if (before.length !== parts.length) {
    parent.replaceChildren(...parts.map(paintPart));
    return;
  }
  parts.forEach((part, i) => {
    const was = before[i];
    const node = parent.childNodes[i];
    if (typeof part === "string" && typeof was === "string") {
      if (part !== was) node.data = part;
    } else if (isPainted(part) && isPainted(was)) {
      if (part[0] !== was[0]) node.className = part[0];
      if (part[2] !== was[2]) entitle(node, part[2]);
      patch(node, wordsOf(was), wordsOf(part));
    } else node.replaceWith(paintPart(part));
  });
}

const isPainted = (part) => typeof part !== "string" && !part[0].startsWith("plate ");
const wordsOf = ([, text]) => (typeof text === "string" ? [text] : text);

function paintPart(part) {
  if (typeof part === "string") return document.createTextNode(part);
  const [name, text, title] = part;
  if (name.startsWith("plate ")) return plate(name, text);
  const span = element("span", name);
  span.append(...wordsOf(part).map(paintPart));
  if (title) entitle(span, title);
  return span;
}

function entitle(node, title) {
  if (title) node.title = title;
  else node.removeAttribute("title");
}

// The number opens the car: a button, of which one at a time is in the order of the tabulator.
function plate(name, car) {
  const button = element("button", name);
  button.type = "button";
  button.tabIndex = -1;
  button.textContent = car;
  button.setAttribute("aria-label", t("car.open", { car }));
  return button;
}

/** An element with a class and a role. */
export function element(tag, name, role) {
  const made = document.createElement(tag);
  made.className = name;
  if (role) made.setAttribute("role", role);
  return made;
}
