// What the viewer chose, kept in the address (so that a link shows the same) and on the device (so that tomorrow does too).

const KEPT = ["class", "order", "theme", "lang"];

export class Choices {
  #address = new URLSearchParams(location.search);

  /** The choice made for `name`: the address first, then the device; null if none. */
  get(name) {
    return this.#address.get(name) ?? stored(name);
  }

  /** Keep a choice; null forgets it. */
  set(name, value) {
    console.assert(KEPT.includes(name), name);
    if (value === null) this.#address.delete(name);
    else this.#address.set(name, value);
    const query = this.#address.toString();
    history.replaceState(null, "", `${location.pathname}${query ? `?${query}` : ""}`);
    try {
      if (value === null) localStorage.removeItem(`parcferme.${name}`);
      else localStorage.setItem(`parcferme.${name}`, value);
    } catch {
      // storage is refused: the address keeps it
    }
  }
}

function stored(name) {
  try {
    return localStorage.getItem(`parcferme.${name}`);
  } catch {
    return null;
  }
}

/** The languages the viewer reads, the best first. */
export function languages(choices) {
  return [choices.get("lang"), ...(navigator.languages ?? [])].filter(Boolean);
}

/** Dress the page: "auto" follows the device. */
export function dress(theme) {
  document.documentElement.dataset.theme = theme;
}
