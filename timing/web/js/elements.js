// Elements in few words: `h("p", {className: "dim"}, "text", other)`. `null` and `undefined` among the children are left out.

export function h(tag, properties = {}, ...children) {
  const { data, label, role, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  if (data) Object.assign(made.dataset, data);
  if (label) made.setAttribute("aria-label", label);
  if (role) made.setAttribute("role", role);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** A table with its caption: `heads` are texts, `rows` lists of texts or elements; `numeric` are the columns written to the right. */
export function table(caption, heads, rows, numeric = []) {
  const side = (i) => (numeric.includes(i) ? "right" : "");
  return h("table", { className: "table" },
    h("caption", { className: "hidden-caption", textContent: caption }),
    h("thead", {}, h("tr", {}, heads.map((head, i) => h("th", { scope: "col", className: side(i) }, head)))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, i) => h("td", { className: side(i) }, cell ?? ""))))));
}
