// Lines over laps, drawn by uPlot: flags shaded behind them, visits to the pits and retirements marked on them, the cars' numbers at their
// ends; looked at by mouse, finger and keyboard alike.

import uPlot from "../vendor/uplot/uPlot.js";
import { t } from "./texts.js";

const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const SHADES = { red: "--flag-red", safety_car: "--flag-yellow", vsc: "--flag-yellow", fcy: "--flag-yellow", code60: "--flag-yellow" };
const FEW = 12; // lines
const [LABEL_PX, LONGEST_PX, LETTER_PX] = [46, 120, 7.2]; // for the numbers, or names, at the ends of the lines

export class LapPlot {
  #plot = null;
  #key = "";
  #picture = null;
  #range = null; // the laps that the viewer looks at; null: all
  #at = null; // what is pointed at: index on the axis of laps
  #car = null;
  #setting = false;

  /** `pointed(lap, car)` is called with what the viewer points at; null for nothing. */
  constructor(root, pointed) {
    this.root = root;
    this.pointed = pointed;
    this.colours = new Colours(root);
    root.addEventListener("keydown", (event) => this.#press(event));
    new ResizeObserver(() => this.#fit()).observe(root);
    const again = () => this.again();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    document.fonts?.ready.then(again);
  }

  /**
   * Draw a picture: `{key, laps, lines, stretches, y: {label, down, range, text}, grid}`. `laps` is the axis; each line is `{car, name,
   * values, tint, pick, marks: [{at, kind}], faint}`, values as long as the axis, null where there is none. Pictures of one `key` have the
   * same lines: only the values are other.
   */
  draw(picture) {
    const rebuilt = picture.key !== this.#key || this.#plot === null;
    [this.#picture, this.#key] = [picture, picture.key];
    if (rebuilt) this.#build();
    else this.#set();
  }

  again() {
    if (this.#plot !== null) this.#build();
  }

  /** Take the picture away. */
  clear() {
    this.#plot?.destroy();
    [this.#plot, this.#key, this.#at, this.#car] = [null, "", null, null];
  }

  /** Look closer (a factor below 1) or wider. */
  zoom(factor) {
    const [low, high] = this.#shown();
    const middle = this.#at === null ? (low + high) / 2 : this.#picture.laps[this.#at];
    const width = Math.max((high - low) * factor, 4);
    const share = (middle - low) / (high - low || 1);
    this.#look(middle - width * share, middle + width * (1 - share));
  }

  /** Go on by a share of what is shown. */
  pan(share) {
    const [low, high] = this.#shown();
    const by = (high - low) * share;
    this.#look(low + by, high + by);
  }

  whole() {
    this.#range = null;
    this.#set();
  }

  #shown() {
    const { laps } = this.#picture;
    return this.#range ?? [laps[0], laps[laps.length - 1]];
  }

  #look(low, high) {
    const { laps } = this.#picture;
    const [first, last] = [laps[0], laps[laps.length - 1]];
    const width = Math.min(high - low, last - first);
    const from = Math.min(Math.max(low, first), last - width);
    this.#range = width >= last - first ? null : [from, from + width];
    this.#set();
  }

  #set() {
    this.#setting = true;
    this.#plot.batch(() => {
      this.#plot.setData([this.#picture.laps, ...this.#picture.lines.map(({ values }) => values)], false);
      const [min, max] = this.#shown();
      this.#plot.setScale("x", { min, max: Math.max(max, min + 1) });
    });
    this.#setting = false;
  }

  #fit() {
    if (this.#plot === null) return;
    const { clientWidth: width, clientHeight: height } = this.root;
    if (width > 0 && height > 0) this.#plot.setSize({ width, height });
  }

  #build() {
    this.#plot?.destroy();
    const { laps, lines, y } = this.#picture;
    this.colours.read();
    const { ink, dim, line } = this.colours;
    const font = `13px ${getComputedStyle(this.root).fontFamily}`;
    const axis = { stroke: dim, font, labelFont: font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 5 } };
    const narrow = this.root.clientWidth < 600;
    this.#plot = new uPlot(
      {
        width: this.root.clientWidth,
        height: this.root.clientHeight,
        padding: [14, Math.min(Math.max(LABEL_PX, ...lines.map(({ name }) => 14 + name.length * LETTER_PX)), LONGEST_PX), 0, narrow ? 0 : 6],
        legend: { show: false },
        focus: { alpha: 0.28 },
        cursor: { focus: { prox: 18 }, drag: { x: true, y: false, setScale: false }, points: { size: 7 }, y: false },
        scales: {
          x: { time: false, range: (_, min, max) => [min, max] },
          y: { dir: y.down ? -1 : 1, range: (plot, min, max) => y.range(min, max, plot) },
        },
        axes: [
          { ...axis, size: 32, incrs: [1, 2, 5, 10, 20, 25, 50, 100, 200, 500], space: 46, values: (_, splits) => splits.map((n) => (n === 0 ? this.#picture.grid ?? "0" : String(n))) },
          { ...axis, size: narrow ? 46 : 62, label: narrow ? undefined : y.label, labelSize: 22, incrs: y.incrs, values: (_, splits) => splits.map((n) => y.text(n)) },
        ],
        series: [{}, ...lines.map((each) => this.#series(each))],
        hooks: {
          drawClear: [(plot) => this.#shade(plot)],
          draw: [(plot) => this.#mark(plot, ink)],
          setCursor: [(plot) => this.#setting || this.#point(plot.cursor.idx ?? null, this.#car)],
          setSeries: [(plot, n, { focus }) => !this.#setting && focus !== undefined && this.#point(plot.cursor.idx ?? null, n === null ? null : lines[n - 1]?.car ?? null)],
          setSelect: [(plot) => this.#selected(plot)],
        },
      },
      [laps, ...lines.map(({ values }) => values)],
      this.root,
    );
    this.#plot.over.addEventListener("dblclick", () => this.whole());
    this.#set();
  }

  #series({ name, tint, pick, faint }) {
    const colour = this.colours.of(tint, pick);
    const chosen = pick !== null;
    return {
      label: name,
      stroke: faint ? translucent(colour, 0.34) : colour,
      width: chosen ? 2.6 : faint ? 1.1 : 1.6,
      dash: chosen ? DASHES[Math.floor(pick / 8) % 4] : [],
      spanGaps: this.#picture.spanGaps ?? false,
      points: { show: this.#picture.points && !faint, size: 4 },
    };
  }

  #selected(plot) {
    if (this.#setting || plot.select.width < 6) return;
    const { left, width } = plot.select;
    this.#look(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  }

  #point(at, car) {
    if (at === this.#at && car === this.#car) return;
    [this.#at, this.#car] = [at, car];
    this.pointed(at === null ? null : this.#picture.laps[at], car);
  }

  #shade({ ctx, bbox, ...plot }) {
    const ratio = devicePixelRatio;
    const x = (lap) => this.#plot === null ? plot.valToPos(lap, "x", true) : this.#plot.valToPos(lap, "x", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { kind, from, to } of this.#picture.stretches) {
      const [left, right] = [x(from), x(to)];
      ctx.fillStyle = translucent(this.colours.flag(SHADES[kind]), kind === "red" ? 0.3 : 0.26);
      ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * ratio), bbox.height);
      ctx.fillStyle = this.colours.soft;
      ctx.font = `600 ${11.5 * ratio}px ${this.colours.family}`;
      ctx.textAlign = "left";
      const name = t(`tag.${kind}`);
      if (right - left > ctx.measureText(name).width + 5 * ratio) ctx.fillText(name, left + 3 * ratio, bbox.top + 13 * ratio);
    }
    ctx.restore();
  }

  #mark(plot, ink) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    const ends = [];
    for (const [n, line] of this.#picture.lines.entries()) {
      const colour = this.colours.of(line.tint, line.pick);
      const [min, max] = [plot.scales.x.min, plot.scales.x.max];
      let last = -1;
      for (let i = 0; i < line.values.length && this.#picture.laps[i] <= max; i += 1) if (line.values[i] !== null && line.values[i] !== undefined) last = i;
      for (const { at, kind } of line.marks) {
        const [lap, value] = [this.#picture.laps[at], line.values[at]];
        if (value === null || value === undefined || lap < min || lap > max || (line.faint && kind === "pit")) continue;
        const [px, py] = [plot.valToPos(lap, "x", true), plot.valToPos(value, "y", true)];
        if (py < bbox.top - 1 || py > bbox.top + bbox.height + 1) continue;
        SIGNS[kind](ctx, px, py, ratio * (line.pick !== null ? 1.25 : 1), colour, this.colours.sheet);
      }
      if (last >= 0 && this.#picture.laps[last] >= min) {
        ends.push({ n, line, colour, x: plot.valToPos(this.#picture.laps[last], "x", true), y: plot.valToPos(line.values[last], "y", true) });
      }
    }
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const taken = [];
    for (const { line, colour, x, y } of ends.sort((a, b) => (b.line.pick !== null) - (a.line.pick !== null))) {
      if (y < bbox.top - 2 || y > bbox.top + bbox.height + 2) continue;
      const [height, width] = [12 * ratio, (8 + line.name.length * LETTER_PX) * ratio];
      const free = (at) => !taken.some((each) => Math.abs(each.y - at) < height && Math.abs(each.x - x) < each.width);
      const place = (ends.length <= FEW ? [0, 1, -1, 2, -2] : [0]).map((rows) => y + rows * height).find(free); // of few lines none goes unnamed
      if (place === undefined) continue;
      taken.push({ x, y: place, width });
      ctx.font = `${line.pick !== null ? 700 : 550} ${12.5 * ratio}px ${this.colours.family}`;
      ctx.fillStyle = line.faint ? translucent(colour, 0.75) : line.pick !== null ? colour : ink;
      ctx.fillText(line.name, x + 6 * ratio, place);
    }
    ctx.restore();
  }

  #press(event) {
    if (this.#plot === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const { laps, lines } = this.#picture;
    const step = event.shiftKey ? 10 : 1;
    const moves = {
      ArrowLeft: () => this.#go((this.#at ?? laps.length) - step),
      ArrowRight: () => this.#go((this.#at ?? -1) + step),
      ArrowUp: () => this.#next(lines, -1),
      ArrowDown: () => this.#next(lines, 1),
      "+": () => this.zoom(0.6),
      "-": () => this.zoom(1 / 0.6),
      0: () => this.whole(),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  }

  #go(wished) {
    const at = Math.min(Math.max(wished, 0), this.#picture.laps.length - 1);
    const lap = this.#picture.laps[at];
    const [low, high] = this.#shown();
    if (lap < low || lap > high) this.#look(lap - (high - low) / 2, lap + (high - low) / 2);
    const car = this.#car;
    this.#setting = true; // where the cursor stands up and down says nothing
    this.#plot.setCursor({ left: this.#plot.valToPos(lap, "x"), top: this.#plot.over.clientHeight / 2 }, false);
    this.#setting = false;
    this.#point(at, car);
  }

  // From car to car in the order in which they stand at the lap that is pointed at.
  #next(lines, by) {
    const at = this.#at ?? this.#picture.laps.length - 1;
    const there = lines.filter(({ values }) => values[at] !== null && values[at] !== undefined).sort((a, b) => a.values[at] - b.values[at]);
    if (there.length === 0) return;
    const now = there.findIndex(({ car }) => car === this.#car);
    const { car } = there[(now + by + there.length) % there.length] ?? there[0];
    this.#plot.setSeries(lines.findIndex((line) => line.car === car) + 1, { focus: true });
    this.#point(at, car);
  }
}

const SIGNS = {
  pit(ctx, x, y, ratio, colour, ground) {
    ctx.fillStyle = ground;
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.5 * ratio;
    ctx.fillRect(x - 3 * ratio, y - 3 * ratio, 6 * ratio, 6 * ratio);
    ctx.strokeRect(x - 3 * ratio, y - 3 * ratio, 6 * ratio, 6 * ratio);
  },
  out(ctx, x, y, ratio, colour) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = 2 * ratio;
    ctx.beginPath();
    for (const [a, b] of [[-4, -4], [-4, 4]]) {
      ctx.moveTo(x + a * ratio, y + b * ratio);
      ctx.lineTo(x - a * ratio, y - b * ratio);
    }
    ctx.stroke();
  },
  neutral(ctx, x, y, ratio, colour, ground) {
    ctx.fillStyle = ground;
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1 * ratio;
    ctx.beginPath();
    ctx.arc(x, y, 2.2 * ratio, 0, 7);
    ctx.fill();
    ctx.stroke();
  },
};

// The colours of the style sheet as a canvas takes them.
class Colours {
  constructor(root) {
    this.probe = root.ownerDocument.body.appendChild(Object.assign(root.ownerDocument.createElement("i"), { hidden: true }));
    this.root = root;
  }

  read() {
    this.known = new Map();
    [this.ink, this.soft, this.dim, this.line, this.sheet] = ["--ink", "--soft", "--dim", "--line", "--sheet"].map((name) => this.flag(name));
    this.family = getComputedStyle(this.root).fontFamily;
  }

  of(tint, pick) {
    return this.flag(pick === null ? `--class-${tint}` : `--pick-${pick % 8}`);
  }

  flag(name) {
    if (!this.known.has(name)) {
      this.probe.style.color = `var(${name})`;
      this.known.set(name, getComputedStyle(this.probe).color);
    }
    return this.known.get(name);
  }
}

function translucent(colour, alpha) {
  const [, channels] = /^rgba?\(([^)]*)\)$/.exec(colour) ?? [];
  if (!channels) return colour;
  const [r, g, b] = channels.split(/[\s,/]+/);
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}
