// The table: one element per car, kept for as long as the car is there. A frame paints the cells that differ and moves the rows that moved.

import { bestsKey, bestsOf, signsOf } from "./bests.js";
import { inBattle } from "./cells.js";
import { fitColumns, gridTemplate, planColumns } from "./columns.js";
import { Motion } from "./motion.js";
import { element, headCell, kindOf, paintCell } from "./painting.js";
import { RowKeys } from "./rowkeys.js";
import { t } from "./texts.js";

const LIT_MS = 1200;
const COMPACT_EM = 44;
const AT_A_TIME = 6; // rows out of sight that are written in one picture; more where many wait, so that three pictures do for all
const OVER = new Set(["finished", "provisional", "final"]);

export class Leaderboard {
  #rows = new Map(); // car -> {element, cells, row, place, index}
  #columns = [];
  #layout = "";
  #template = "";
  #needed = {};
  #width = 0;
  #last = null;
  #epoch = null;
  #cutAt = null;
  #unplaced = null; // the order that the elements are still to be brought into; in sight they are in it
  #stale = new Map(); // cars out of sight whose cells are still to be written -> how; the longest waiting first

  /** `open(car)` is called when a row is chosen. `wide`: rows of one line however narrow it is, as on a wall. */
  constructor(root, { open = () => {}, wide = false } = {}) {
    this.root = root;
    this.wide = wide;
    root.setAttribute("role", "table");
    root.setAttribute("aria-label", t("table.label"));
    this.head = root.appendChild(element("div", "head", "row"));
    this.body = root.appendChild(element("div", "body", "rowgroup"));
    this.empty = root.appendChild(element("p", "empty"));
    this.empty.textContent = t("waiting");
    this.keys = new RowKeys(this.body, open);
    this.motion = new Motion(this.body, () => this.#writeSeen());
    new ResizeObserver(() => this.#measure()).observe(root);
    new ResizeObserver(() => this.#measure()).observe(this.body);
    document.fonts?.ready.then(() => this.#measure());
  }

  /** Whether the result and the order on the road are to be told apart: after the finish, where they differ. */
  static differs({ session, rows }) {
    return OVER.has(session.status) && Object.values(rows).some(({ position, result }) => result && result.position !== position);
  }

  /**
   * Show `state` as `choice {classes, cls, order, columns}` wants it: the classes shown (none: all), the class if it is one alone, the order
   * ("road", "live", "result", "restart"), and the columns chosen (null: those that fit). What is in sight is drawn at once; where cells out
   * of sight are left to write, it gives a function to be called in the pictures that follow until it says that all is written.
   */
  render(state, choice) {
    this.#last = [state, choice];
    const order = orderOf(state, choice);
    const view = viewOf(state, choice, order);
    view.compact = !this.wide && this.#width < COMPACT_EM;
    view.brief = this.wide || view.compact;
    const goesOn = state.epoch === this.#epoch; // in another epoch it is another moment: nothing came from where it stands
    this.#epoch = state.epoch;
    if (!goesOn) this.#needed = {};
    for (const each of ["lapped", "longSectors"]) view[each] = this.#needed[each] ||= view[each]; // room once needed is kept: columns do not jump
    const rows = String(Math.max(order.length, 8));
    if (this.root.style.getPropertyValue("--rows") !== rows) this.root.style.setProperty("--rows", rows);
    if (this.root.dataset.order !== choice.order) this.root.dataset.order = choice.order;
    this.root.classList.toggle("neutralised", view.neutralised);
    this.empty.hidden = order.length > 0;
    this.keys.keep(() => {
      const anew = this.#layOut(state, view);
      const animate = !anew && goesOn && this.motion.wanted();
      this.#unplaced = null;
      if (anew || this.#movesInSight(order)) this.#place(order, animate);
      else this.#unplaced = order;
      this.#paint(state, order, view, animate, anew);
    });
    this.keys.settle(order);
    this.#cut(cutAfter(state, order));
    this.motion.drawn();
    return this.#stale.size > 0 || this.#unplaced ? () => this.#writeOn() : null;
  }

  #layOut(state, view) {
    const columns = fitColumns(planColumns(state.columns ?? [], view), this.#width);
    view.badges = !columns.some(({ id }) => id === "penalties"); // no room for their column: signs beside the driver
    const template = gridTemplate(columns, view.brief);
    if (template !== this.#template) this.root.style.setProperty("--columns", template);
    this.#template = template;
    const layout = `${view.compact} ${view.badges} ${view.championships} ${columns.map(({ id, label }) => `${id}:${label}`).join(" ")}`;
    if (layout === this.#layout) return false;
    this.#layout = layout;
    this.#columns = columns;
    this.root.classList.toggle("compact", view.compact);
    this.head.replaceChildren(...columns.map(headCell));
    for (const kept of this.#rows.values()) makeCells(kept, columns);
    return true;
  }

  // In qualifying: the line below the last who goes on as it stands.
  #cut(car) {
    if (car === this.#cutAt) return;
    delete this.#rows.get(this.#cutAt)?.element.dataset.cut;
    const kept = this.#rows.get(car);
    if (kept) kept.element.dataset.cut = t("segment.cut");
    this.#cutAt = car;
  }

  #movesInSight(order) {
    return order.length !== this.#rows.size || order.some((car, index) => {
      const was = this.#rows.get(car)?.index;
      return was !== index && (was === undefined || this.motion.sees(index) || this.motion.sees(was));
    });
  }

  // Reorders the elements, and lets each that moved start from where it was.
  #place(order, animate) {
    const wanted = new Set(order);
    for (const [car, kept] of this.#rows) {
      if (wanted.has(car)) continue;
      kept.element.remove();
      this.#rows.delete(car);
      this.#stale.delete(car);
    }
    const overtaken = standing(order.map((car) => this.#rows.get(car)?.index ?? -1));
    let next = null;
    for (let index = order.length - 1; index >= 0; index--) {
      const kept = this.#rows.get(order[index]) ?? this.#add(order[index]);
      const byItself = !overtaken.has(index);
      if (byItself) this.body.insertBefore(kept.element, next); // an element that is put elsewhere is laid out anew: those alone that must be
      next = kept.element;
      if (animate && kept.index !== null && kept.index !== index) this.motion.move(kept, kept.index, index, byItself);
      kept.index = index;
    }
  }

  #add(car) {
    const kept = { element: element("div", "row", "row"), glow: null, lit: null, cells: [], row: null, index: null, place: undefined, move: null, view: "", bests: "", signs: "", fights: false, line: "" };
    kept.element.dataset.car = car;
    makeCells(kept, this.#columns);
    this.#rows.set(car, kept);
    return kept;
  }

  #paint(state, order, view, animate, anew) {
    const shared = [this.#layout, view.started, view.racing, view.cls, view.order, view.neutralised, view.classes, view.restartKey].join("|");
    const bests = bestsKey(view.bests);
    order.forEach((car, index) => {
      const kept = this.#rows.get(car);
      const row = state.rows[car];
      const place = view.places.get(car);
      if (kept.row === row && kept.view === shared && kept.place === place && (kept.bests === bests || kept.signs === signsOf(row, view))) {
        kept.bests = bests;
        this.#stale.delete(car);
        return;
      }
      const status = view.started ? row.status : "";
      if (kept.element.dataset.status !== status) kept.element.dataset.status = status;
      kept.fights = inBattle(row, view);
      const how = { row, view, shared, place, bests };
      if (anew || this.motion.sees(index)) this.#write(car, how, animate);
      else this.#stale.set(car, how);
    });
    this.#joinFights(order);
  }

  #write(car, { row, view, shared, place, bests }, animate = false) {
    const kept = this.#rows.get(car);
    this.#stale.delete(car);
    this.#columns.forEach((column, i) => paintCell(kept.cells[i], column.cell(row, view)));
    if (animate && kept.row && row.laps > kept.row.laps) this.#flash(kept);
    kept.row = row;
    kept.view = shared;
    kept.place = place;
    kept.bests = bests;
    kept.signs = signsOf(row, view);
  }

  // Rows that came into sight meanwhile.
  #writeSeen() {
    this.#placeRest();
    for (const [car, how] of this.#stale) if (this.motion.sees(this.#rows.get(car).index)) this.#write(car, how);
  }

  #placeRest() {
    const order = this.#unplaced;
    this.#unplaced = null;
    if (order) this.keys.keep(() => this.#place(order, false));
    return order !== null;
  }

  // Out of sight: the order in one picture, then cells, row by row.
  #writeOn() {
    if (this.#placeRest()) return this.#stale.size === 0;
    let left = Math.max(AT_A_TIME, Math.ceil(this.#stale.size / 3));
    for (const [car, how] of this.#stale) {
      if (left-- === 0) break;
      this.#write(car, how);
    }
    return this.#stale.size === 0;
  }

  // A line joins those who fight: half of it on the row ahead, half on the one behind.
  #joinFights(order) {
    order.forEach((car, i) => {
      const kept = this.#rows.get(car);
      const line = `${kept.fights ? "battle" : ""} ${this.#rows.get(order[i + 1])?.fights ? "chased" : ""}`.trim();
      if (line === kept.line) return;
      kept.element.className = `row ${line}`;
      kept.line = line;
    });
  }

  // A lap was completed: its time lights up for a moment.
  #flash(kept) {
    kept.element.dataset.lit = "";
    clearTimeout(kept.lit);
    kept.lit = setTimeout(() => delete kept.element.dataset.lit, LIT_MS);
  }

  #measure() {
    const em = parseFloat(getComputedStyle(this.root).fontSize) || 16;
    const width = Math.floor((this.root.clientWidth / em) * 4) / 4;
    this.motion.look();
    if (width === this.#width) return;
    this.#width = width;
    if (this.#last) this.render(...this.#last);
  }
}

/** The cars to show, in order; by the result, by the restart or between the lines those without a place stand at the end, as on the road. */
export function orderOf({ session, order, rows }, { classes = [], order: by }) {
  const wanted = new Set(classes);
  const shown = order.filter((car) => car in rows && (wanted.size === 0 || wanted.has(rows[car].class)));
  if (by === "road") return shown;
  const restart = new Map((session.restart_order ?? []).map((car, i) => [car, i]));
  const places = {
    result: (car) => rows[car].result?.position,
    live: (car) => rows[car].live?.position,
    restart: (car) => restart.get(car),
  };
  const place = (car) => places[by](car) ?? Infinity;
  return shown.map((car, i) => [place(car), i, car]).sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] - b[0])).map(([, , car]) => car);
}

/** The last car that goes on from the running segment of qualifying as it stands; null where none is cut. */
export function cutAfter({ session, rows }, order) {
  const { segment } = session;
  if (!segment?.advance || segment.status === "closed") return null;
  const inIt = order.filter((car) => (!segment.class || rows[car].class === segment.class) && (rows[car].segment === null || rows[car].segment === segment.name));
  return inIt.length > segment.advance ? inIt[segment.advance - 1] : null;
}

const MINUTE_US = 60_000_000;
const HOUR_US = 3_600_000_000;

/** What the cells need to know beside their row. */
function viewOf({ session, rows }, { cls, classes: shown = [], order: by, columns }, order) {
  const all = Object.values(rows);
  const restart = by !== "result" && session.restart_order ? new Map(session.restart_order.map((car, i) => [car, i + 1])) : null;
  return {
    cls,
    order: by,
    chosen: columns,
    filtered: shown.length > 0, // between the lines, gaps are those of the whole field
    rows: all,
    race: session.kind === "race",
    racing: session.status === "running",
    neutralised: Boolean(session.neutralised),
    differs: by === "road" && Leaderboard.differs({ session, rows }),
    started: session.status !== "scheduled",
    classes: session.classes ?? [],
    championships: session.championships ?? [],
    sectors: session.sectors ?? 0,
    longSectors: all.some(({ best_sectors_us: bests, sectors_us: now }) => [...(bests ?? []), ...(now ?? [])].some((us) => us >= MINUTE_US)),
    lapped: all.some(({ gap }) => gap?.laps > 0 || gap?.time_us >= HOUR_US),
    bests: bestsOf(all, session.sectors ?? 0),
    places: by === "live" || by === "restart" ? placesIn(order, by, restart) : new Map(),
    restart,
    restartKey: session.restart_order?.join() ?? "",
    gridInClass: cls ? ranks(all.filter((row) => row.class === cls && row.grid)) : new Map(),
  };
}

function placesIn(order, by, restart) {
  const placed = by === "restart" ? order.filter((car) => restart?.has(car)) : order;
  return new Map(placed.map((car, i) => [car, i + 1]));
}

function ranks(rows) {
  return new Map(rows.sort((a, b) => a.grid - b.grid).map(({ car }, i) => [car, i + 1]));
}

/**
 * Those that kept their order among themselves while others went past: the longest rising run of `indices`, as positions in it. What is
 * not among them moved by itself. Of two that changed places, the one that came forward did. Negative indices are newcomers.
 */
export function standing(indices) {
  const tails = []; // for each length, the position that ends the run with the least index
  const before = [];
  indices.forEach((value, at) => {
    if (value < 0) return;
    let low = 0;
    for (let high = tails.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (indices[tails[middle]] < value) low = middle + 1;
      else high = middle;
    }
    before[at] = low ? tails[low - 1] : -1;
    tails[low] = at;
  });
  const run = new Set();
  for (let at = tails.at(-1) ?? -1; at >= 0; at = before[at]) run.add(at);
  return run;
}

function makeCells(kept, columns) {
  kept.cells = columns.map(({ id, align, other }) => {
    const cell = element("div", `cell ${align} ${kindOf(id)}${other ? " other" : ""}`, "cell");
    cell.dataset.column = id;
    return cell;
  });
  kept.view = "";
  kept.element.replaceChildren(...kept.cells);
}
