// What the viewer chose, kept in the address (so that a link shows the same) and on the device (so that tomorrow does too). A kiosk's
// address says everything: there the device is neither asked nor told.

export class Choices {
  #address = new URLSearchParams(location.search);

  /** Whether the page is a kiosk's: no toolbar, no ways, no settings. */
  get kiosk() {
    return on(this.#address.get("kiosk"));
  }

  /** The choice made for `name`: the address first, then the device; null if none. */
  get(name) {
    return this.#address.get(name) ?? (this.kiosk ? null : stored(name));
  }

  /** Whether `name` is switched on: `?name`, `?name=1`. */
  is(name) {
    return on(this.get(name));
  }

  /** Keep a choice; null forgets it. `here`: it is this page's alone, and is kept in the address only. */
  set(name, value, { here = false } = {}) {
    this.setAll({ [name]: value });
    if (!here && !this.kiosk) this.keep(name, value);
  }

  /** Keep something on the device alone; null forgets it. */
  keep(name, value) {
    try {
      if (value === null) localStorage.removeItem(`parcferme.${name}`);
      else localStorage.setItem(`parcferme.${name}`, value);
    } catch {
      // storage is refused
    }
  }

  /** Put several of this page's own into the address at once; null takes one out. */
  setAll(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value === null) this.#address.delete(name);
      else this.#address.set(name, value);
    }
    const query = this.#address.toString();
    history.replaceState(null, "", `${location.pathname}${query ? `?${query}` : ""}`);
  }

  /** What follows the path in this page's address, for ways that keep the viewer's choices. */
  get query() {
    return this.#address.toString();
  }
}

function on(value) {
  return value !== null && value !== "0" && value !== "false";
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
