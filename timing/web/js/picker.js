// Which columns are shown, and in which order: chosen by checkbox, moved by buttons, by Alt and the arrows, or by dragging.

import { choosable, pointsOf } from "./columns.js";
import { t } from "./texts.js";
import { listOf, textOf } from "./toolbar.js";

export class ColumnPicker {
  #columns = []; // {id, label, shown} in the order shown in the dialog
  #fromFeed = null;
  #championships = [];
  #elsewhere = []; // chosen, but not to be had in this session: kept for the next
  #dragged = null;

  /** A group in the settings, which tells `changed` after each choice. */
  constructor(settings, choices, changed) {
    this.choices = choices;
    this.changed = changed;
    this.list = document.createElement("ol");
    this.list.className = "picker";
    this.said = Object.assign(document.createElement("p"), { className: "unseen" });
    this.said.setAttribute("role", "status");
    const reset = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: t("columns.reset") });
    reset.onclick = () => this.#keep(null);
    const help = Object.assign(document.createElement("p"), { className: "help", textContent: t("columns.help") });
    settings.add(t("columns.title"), this.list, reset, help, this.said);
    settings.add(t("wall.title"), addressed(choices, t("wall.wall"), { view: "wall" }), addressed(choices, t("wall.kiosk"), { kiosk: "1" }), addressed(choices, t("wall.both"), { view: "wall", kiosk: "1" }));
    this.list.addEventListener("dragover", (event) => this.#over(event));
    this.list.addEventListener("drop", (event) => event.preventDefault());
    this.list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Know the columns that the feed has, and the championships that are scored. */
  render({ columns, session }) {
    const championships = session.championships ?? [];
    if (columns === this.#fromFeed && championships.join() === this.#championships.join()) return;
    [this.#fromFeed, this.#championships] = [columns, championships];
    this.#read();
  }

  #read() {
    const all = choosable(this.#fromFeed ?? [], this.#championships);
    const wished = listOf(this.choices.get("columns"));
    const chosen = wished.flatMap((id) => pointsOf(id, this.#championships) ?? [id]);
    const byId = new Map(all.map((column) => [column.id, column]));
    const first = chosen.filter((id) => byId.has(id)).map((id) => ({ ...byId.get(id), shown: true }));
    const rest = all.filter(({ id }) => !chosen.includes(id)).map((column) => ({ ...column, shown: chosen.length ? false : column.shown }));
    this.#columns = [...first, ...rest];
    this.#elsewhere = wished.filter((id) => !(pointsOf(id, this.#championships) ?? [id]).some((each) => byId.has(each)));
    this.#draw();
  }

  #keep(columns) {
    this.choices.set("columns", columns && textOf([...columns.filter(({ shown }) => shown).map(({ id }) => id), ...this.#elsewhere]));
    if (columns === null) this.#read();
    this.changed();
  }

  #draw(focus = null) {
    this.list.replaceChildren(...this.#columns.map((column, at) => this.#item(column, at)));
    if (focus) this.list.querySelector(`[data-id="${focus[0]}"] ${focus[1]}`)?.focus();
  }

  #item(column, at) {
    const item = document.createElement("li");
    item.dataset.id = column.id;
    item.draggable = true;
    item.ondragstart = () => {
      this.#dragged = column.id;
    };
    item.ondragend = () => {
      this.#dragged = null;
      this.#keep(this.#columns);
    };
    const label = item.appendChild(Object.assign(document.createElement("label"), { className: "option" }));
    const box = label.appendChild(Object.assign(document.createElement("input"), { type: "checkbox", checked: column.shown }));
    box.onchange = () => {
      column.shown = box.checked;
      this.#keep(this.#columns);
    };
    label.append(column.label);
    item.append(this.#mover("up", column, at === 0), this.#mover("down", column, at === this.#columns.length - 1));
    return item;
  }

  #mover(way, column, disabled) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: `button mover ${way}`, disabled });
    button.textContent = way === "up" ? "↑" : "↓";
    button.setAttribute("aria-label", t(`columns.${way}`, { column: column.label }));
    button.onclick = () => this.#move(column.id, way === "up" ? -1 : 1, `.${way}`);
    return button;
  }

  #key(event) {
    const item = event.target.closest("li");
    if (!item || !event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    this.#move(item.dataset.id, event.key === "ArrowUp" ? -1 : 1, "input");
  }

  #move(id, by, focus) {
    const from = this.#columns.findIndex((column) => column.id === id);
    const to = from + by;
    if (to < 0 || to >= this.#columns.length) return;
    this.#columns.splice(to, 0, ...this.#columns.splice(from, 1));
    const atEnd = to === 0 || to === this.#columns.length - 1;
    this.#draw([id, atEnd ? "input" : focus]);
    this.said.textContent = t("columns.moved", { column: this.#columns[to].label, n: to + 1 });
    this.#keep(this.#columns);
  }

  #over(event) {
    const over = event.target.closest("li");
    if (!over || !this.#dragged) return;
    event.preventDefault();
    const from = this.#columns.findIndex(({ id }) => id === this.#dragged);
    const to = this.#columns.findIndex(({ id }) => id === over.dataset.id);
    if (from === to) return;
    this.#columns.splice(to, 0, ...this.#columns.splice(from, 1));
    const item = this.list.querySelector(`[data-id="${this.#dragged}"]`);
    this.list.insertBefore(item, from < to ? over.nextSibling : over);
  }
}

// A way to this page as another kind of screen, with what the viewer chose.
function addressed(choices, text, more) {
  const link = Object.assign(document.createElement("a"), { textContent: text });
  const update = () => {
    const query = new URLSearchParams(choices.query);
    for (const [name, value] of Object.entries(more)) query.set(name, value);
    link.href = `${location.pathname}?${query}`;
  };
  update();
  for (const kind of ["pointerenter", "focus"]) link.addEventListener(kind, update);
  return link;
}
