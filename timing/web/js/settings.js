// The settings that every screen has: language, colours, delay. A screen adds its own by `add(title, element)`.

import { dress } from "./choices.js";
import { LANGUAGES, t } from "./texts.js";

const THEMES = ["auto", "dark", "light"];
const DELAYS = [0, 5, 10, 20, 30, 45, 60, 120, 300];

export class SettingsDialog {
  constructor(root, screen) {
    this.dialog = root.querySelector("#settings");
    this.dialog.setAttribute("aria-labelledby", "settings-title");
    const head = make("header", { className: "dialog-head" });
    const close = make("button", { type: "button", className: "button", textContent: t("settings.close") });
    close.onclick = () => this.dialog.close();
    head.append(make("h2", { id: "settings-title", textContent: t("settings.title") }), close);
    this.body = make("div", { className: "dialog-body" });
    this.dialog.append(head, this.body);
    this.dialog.onclick = ({ target }) => {
      if (target === this.dialog) this.dialog.close(); // beside the dialog's content
    };
    root.querySelector("#settings-open").onclick = () => this.open();
    this.#language(screen.choices);
    this.#theme(screen.choices);
    if (!screen.live) this.#delay(screen);
  }

  open() {
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** Add a group of settings under its title. */
  add(title, ...elements) {
    const group = make("fieldset", { className: "setting" });
    group.append(make("legend", { textContent: title }), ...elements);
    this.body.append(group);
    return group;
  }

  #language(choices) {
    const chosen = document.documentElement.lang;
    const options = radios("language", Object.entries(LANGUAGES), chosen, (language) => {
      choices.set("lang", language);
      location.reload();
    });
    for (const option of options) option.lang = option.dataset.value;
    this.add(t("settings.language"), ...options);
  }

  #theme(choices) {
    const values = THEMES.map((theme) => [theme, t(`theme.${theme}`)]);
    const options = radios("theme", values, choices.get("theme") ?? "auto", (theme) => {
      choices.set("theme", theme === "auto" ? null : theme);
      dress(theme);
    });
    this.add(t("settings.theme"), ...options);
  }

  #delay(screen) {
    const now = Number(screen.choices.get("delay") ?? 0);
    const select = make("select", { id: "delay" });
    const values = DELAYS.includes(now) || !(now > 0) ? DELAYS : [...DELAYS, now].sort((a, b) => a - b);
    for (const seconds of values) {
      const text = seconds === 0 ? t("settings.delay_none") : t("settings.seconds", { n: seconds });
      select.append(new Option(text, seconds, false, seconds === now));
    }
    select.setAttribute("aria-label", t("settings.delay"));
    select.onchange = () => {
      screen.choices.set("delay", select.value === "0" ? null : select.value);
      screen.delayBy(Number(select.value));
    };
    this.add(t("settings.delay"), select, make("p", { className: "help", textContent: t("settings.delay_help") }));
  }
}

function radios(name, values, chosen, choose) {
  return values.map(([value, text]) => {
    const label = make("label", { className: "option" });
    label.dataset.value = value;
    const input = make("input", { type: "radio", name, value, checked: value === chosen });
    input.onchange = () => choose(value);
    label.append(input, text);
    return label;
  });
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
