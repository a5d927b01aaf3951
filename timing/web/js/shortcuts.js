// Letters for everything. Capital letters (with Shift) send; small ones only lead somewhere: what is typed into nowhere by mistake shows no flag.
// They can be switched off, for speech input and for desks on which things lie.

import { h } from "./elements.js";
import { t } from "./texts.js";

/** A key as it is written on a button. */
export function key(letter) {
  return h("kbd", { ariaHidden: "true" }, letter);
}

export class Shortcuts {
  #leads = new Map(); // small letters -> {words, run}
  #sends = new Map(); // capital letters -> {words, button}

  constructor(screen, dialog) {
    this.choices = screen.choices;
    this.dialog = dialog;
    addEventListener("keydown", (event) => this.#press(event));
    const box = h("input", { type: "checkbox", id: "letters", checked: this.on, onchange: () => this.choices.keep("letters", box.checked ? null : "0") });
    screen.settings.add(t("keys.title"), h("label", { className: "option" }, box, t("keys.on")), h("p", { className: "help" }, t("keys.help")));
    this.leads("?", t("keys.show"), () => this.show());
  }

  /** Whether letters do anything. */
  get on() {
    return this.choices.get("letters") !== "0";
  }

  /** A small letter leads somewhere. */
  leads(letter, words, run) {
    this.#leads.set(letter, { words, run });
  }

  /** A capital letter presses a button. */
  sends(letter, words, button) {
    this.#sends.set(letter, { words, button });
  }

  /** Show what each letter does. */
  show() {
    const list = (entries, write) => h("dl", { className: "keys" }, [...entries].map(([letter, { words }]) => [h("dt", {}, h("kbd", {}, write(letter))), h("dd", {}, words)]).flat());
    const close = h("button", { type: "button", className: "button", onclick: () => this.dialog.close() }, t("settings.close"));
    this.dialog.replaceChildren(
      h("header", { className: "dialog-head" }, h("h2", { id: "help-title" }, t("keys.title")), close),
      h("div", { className: "dialog-body" },
        this.on ? null : h("p", {}, t("keys.off")), h("h3", {}, t("keys.sending")), list(this.#sends, (letter) => `⇧ ${letter}`),
        h("h3", {}, t("keys.leading")), list(this.#leads, (letter) => letter),
        h("p", { className: "help" }, t("keys.moving"))));
    if (!this.dialog.open) this.dialog.showModal();
  }

  #press(event) {
    if (!this.on || event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, select, textarea, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur(); // and letters are letters of the desk again
      return;
    }
    const sent = event.shiftKey && this.#sends.get(event.key.toUpperCase());
    if (sent) {
      event.preventDefault();
      if (!sent.button.disabled && !sent.button.closest("fieldset:disabled")) sent.button.click();
      return;
    }
    const led = (event.key === "?" || !event.shiftKey) && this.#leads.get(event.key);
    if (!led) return;
    event.preventDefault();
    led.run();
  }
}
