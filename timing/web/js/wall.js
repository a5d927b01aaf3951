// The wall: rows large enough for ten metres, the first three always there, the rest of the field page by page.

const PINNED = 3;
const LEAST_S = 3;

/** What a wall shows unless its address says otherwise. */
export const WALL_COLUMNS = ["position", "gained", "car", "driver", "gap", "interval", "last_lap_us", "class_position", "best_lap_us"];

export class Wall {
  #page = 0;

  /** `rows` on the screen at a time, a new page `every` so many seconds. */
  constructor(body, { rows = 10, every = 8 } = {}) {
    this.body = body;
    const shown = Math.min(Math.max(Math.trunc(rows) || 10, PINNED + 2), 40);
    document.documentElement.dataset.view = "wall";
    document.documentElement.style.setProperty("--wall-rows", shown);
    this.each = shown - PINNED;
    setInterval(() => this.#turn(), Math.max(Number(every) || 8, LEAST_S) * 1000);
  }

  #turn() {
    const rows = this.body.children.length - PINNED;
    const pages = Math.max(Math.ceil(rows / this.each), 1);
    this.#page = (this.#page + 1) % pages;
    const height = this.body.firstElementChild?.offsetHeight ?? 0;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches || this.#page === 0;
    this.body.scrollTo({ top: this.#page * this.each * height, behavior: still ? "instant" : "smooth" });
  }
}
