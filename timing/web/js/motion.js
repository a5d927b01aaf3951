// Rows that move so that the eye can follow: those in sight, and as much of it as the device can show without dropping pictures.

import { NONE, OWN, Pace } from "./pace.js";

const MOVE = { duration: 620, easing: "cubic-bezier(.22,.8,.24,1)" };
const GLOW_MS = 1800;
const PICTURE_MS = 1000 / 60;
const PINNED = 3; // on a wall, whose field scrolls

export class Motion {
  pace = new Pace();

  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #sight = { top: 0, scrolled: 0, height: 0, row: 0 };

  /** `body` holds the rows; `onSight` is called when other rows may have come into sight. */
  constructor(body, onSight) {
    this.body = body;
    const looked = () => {
      this.look();
      onSight();
    };
    document.addEventListener("scroll", looked, { passive: true, capture: true });
    addEventListener("resize", looked);
    new ResizeObserver(looked).observe(document.body); // what stands above the rows grew or went
  }

  /** Whether rows move at all. */
  wanted() {
    return document.visibilityState === "visible" && !this.#calm.matches;
  }

  /** Take in where the rows stand on the screen. To be called while nothing waits to be laid out: else it has to be, at once. */
  look() {
    const scrolled = this.body.scrollTop;
    this.#sight = { top: this.body.getBoundingClientRect().top - scrolled, scrolled, height: innerHeight, row: this.body.firstElementChild?.offsetHeight ?? 0 };
  }

  /** Whether the row at a place is in sight, or about to be. Rows are equally high, so none is measured. */
  sees(index) {
    const { top, scrolled, height, row } = this.#sight;
    const at = top + index * row;
    return row === 0 || (at > -2 * row && at < height + row) || (scrolled > 0 && index < PINNED);
  }

  /**
   * Let a row that is now at `to` start from where it was. Transform and opacity alone are animated: they need neither layout nor paint
   * while they run. A row that is still under way starts from where it is by now.
   */
  move(kept, from, to, byItself) {
    if (!this.sees(from) && !this.sees(to)) return;
    if (this.pace.level < (byItself ? NONE : OWN)) this.#slide(kept, from - to);
    if (byItself) this.#mark(kept, from > to ? "up" : "down"); // pushed along by others: nothing is made of it
  }

  #slide(kept, places) {
    const { element, move } = kept;
    const left = move ? move.from * (1 - (move.animation.effect.getComputedTiming().progress ?? 1)) : 0;
    const from = Math.round(places * this.#sight.row + left);
    move?.animation.cancel();
    const animation = element.animate([{ transform: `translateY(${from}px)` }, { transform: "translateY(0)" }], MOVE);
    kept.move = { from, animation };
    element.style.zIndex = places > 0 ? 3 : 2;
    animation.onfinish = () => {
      element.style.zIndex = "";
      kept.move = null;
    };
  }

  // Its ground is coloured for a moment: fading, or at once off where no movement is afforded.
  #mark(kept, way) {
    const glow = Object.assign(document.createElement("i"), { className: `glow ${way}`, ariaHidden: "true" });
    kept.glow?.remove();
    kept.glow = glow;
    kept.element.prepend(glow);
    const gone = () => glow.remove();
    if (this.pace.level < NONE) glow.animate({ opacity: [1, 0] }, GLOW_MS).onfinish = gone;
    else setTimeout(gone, GLOW_MS / 2);
  }

  /** A state was drawn in this picture: see whether the next one comes in time. */
  drawn() {
    const began = document.timeline.currentTime;
    const inPicture = performance.now() - began < PICTURE_MS * 3; // else it was drawn for a choice of the viewer's, outside of any
    if (inPicture && this.wanted()) requestAnimationFrame((next) => this.pace.judge(next - began > PICTURE_MS * 1.5, next));
  }
}
