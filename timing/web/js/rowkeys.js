// Rows by keyboard and pointer: one number at a time is in the order of the tabulator, arrows go from row to row, Enter or a click opens it.

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

export class RowKeys {
  #car = null; // whose number is in the order of the tabulator
  #button = null;

  constructor(body, open) {
    this.body = body;
    body.addEventListener("click", ({ target }) => {
      const car = target.closest(".row")?.dataset.car;
      if (car && getSelection().isCollapsed) {
        this.#car = car;
        open(car);
      }
    });
    body.addEventListener("keydown", (event) => this.#key(event));
    body.addEventListener("focusout", ({ target }) => delete target.closest(".row")?.dataset.focus);
    body.addEventListener("focusin", ({ target }) => {
      if (target.matches(".plate:focus-visible")) target.closest(".row").dataset.focus = "";
      this.#car = target.closest(".row")?.dataset.car ?? this.#car;
      this.settle([...body.children].map(({ dataset }) => dataset.car));
    });
  }

  /** Do what moves rows or makes them anew, and leave the focus on its row: an element that is moved loses it. */
  keep(move) {
    const car = this.body.contains(document.activeElement) ? document.activeElement.closest(".row")?.dataset.car : undefined;
    const focused = document.activeElement;
    move();
    if (car !== undefined && document.activeElement !== focused) this.#buttonOf(car)?.focus({ preventScroll: true });
  }

  /** Let the number of the row that was last used, else of the first, be the one in the order of the tabulator. */
  settle(order) {
    if (!order.includes(this.#car)) this.#car = null;
    const button = this.#buttonOf(this.#car ?? order[0]);
    if (button === this.#button) return;
    if (this.#button) this.#button.tabIndex = -1;
    this.#button = button;
    if (button) button.tabIndex = 0;
  }

  /** Go to the row of a car. */
  focus(car) {
    this.#buttonOf(car)?.focus();
  }

  #key(event) {
    const step = STEPS[event.key];
    const row = event.target.closest(".row");
    if (step === undefined || !row || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const rows = [...this.body.children];
    const at = Math.min(Math.max(rows.indexOf(row) + step, 0), rows.length - 1);
    const button = rows[at].querySelector(".plate");
    button?.focus();
    rows[at].scrollIntoView({ block: "nearest" });
  }

  #buttonOf(car) {
    return [...this.body.children].find(({ dataset }) => dataset.car === car)?.querySelector(".plate") ?? null;
  }
}
