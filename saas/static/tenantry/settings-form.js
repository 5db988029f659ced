// Hides the fields of a settings form that do not apply (data-show-if). They keep what they say, and send it like all others.
"use strict";

(() => {
  const parts = new Map();
  for (const part of document.querySelectorAll("[data-show-if]")) {
    parts.set(part, Object.entries(JSON.parse(part.dataset.showIf)));
  }

  const controls = (form, name) => [...form.elements].filter((each) => each.name === name);

  // What a field says: a box follows its hidden "off"; of several radio buttons, the chosen one.
  const said = (found) =>
    found.reduce((text, each) => (/^(radio|checkbox)$/.test(each.type) && !each.checked ? text : each.value), "");

  // A field that waits for one that does not apply itself does not apply either, whatever that one says.
  const applies = (part) =>
    parts.get(part).every(([name, wanted]) => {
      const found = controls(part.closest("form"), name);
      const around = found.length ? found[0].closest("[data-show-if]") : null;
      return wanted.includes(said(found)) && (!around || around.contains(part) || applies(around));
    });

  // What is wrong stays in sight, or nobody could put it right.
  const update = () => {
    for (const part of parts.keys()) {
      const shown = applies(part);
      part.querySelector(".only-when").hidden = shown;
      part.hidden = !shown && !part.matches(".has-error") && !part.querySelector(".has-error");
    }
  };

  // What the browser itself finds wrong in a field, it points at; it cannot point at a hidden one.
  const show = (event) => {
    for (let part = event.target.closest("[data-show-if]"); part; part = part.parentElement.closest("[data-show-if]")) {
      part.hidden = false;
    }
  };

  update();
  for (const form of new Set([...parts.keys()].map((part) => part.closest("form")))) {
    form.addEventListener("change", update);
    form.addEventListener("invalid", show, true);
  }
  window.addEventListener("pageshow", update); // the browser may have put back what was typed before
})();
