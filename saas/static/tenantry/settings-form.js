// Settings forms: hides the fields that do not apply (data-show-if), draws rows and defaults in place (data-redraw), and says what is
// not saved (data-guard). Every form works without it. Forms are searched, not asked for `form.elements`: a field may be called that.
"use strict";

(() => {
  const fields = (form) => [...form.querySelectorAll("input, select, textarea")];
  const conditions = (part) => Object.entries(JSON.parse(part.dataset.showIf));

  // What a field says: a box follows its hidden "off"; of several radio buttons, the chosen one.
  const said = (found) =>
    found.reduce((text, each) => (/^(radio|checkbox)$/.test(each.type) && !each.checked ? text : each.value), "");

  // A field that waits for one that does not apply itself does not apply either, whatever that one says.
  const applies = (part) =>
    conditions(part).every(([name, wanted]) => {
      const found = fields(part.closest("form")).filter((each) => each.name === name);
      const around = found.length ? found[0].closest("[data-show-if]") : null;
      return wanted.includes(said(found)) && (!around || around.contains(part) || applies(around));
    });

  // Fields that do not apply keep what they say, and send it like all others. What is wrong stays in sight, or nobody could put it right.
  const update = (form) => {
    for (const part of form.querySelectorAll("[data-show-if]")) {
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

  // Whether a field says something else than when the page was made, also if the browser has put that back after a way round.
  const changed = (each) => {
    if (each.type === "hidden") return false;
    if (/^(radio|checkbox)$/.test(each.type)) return each.checked !== each.defaultChecked;
    if (each.tagName !== "SELECT") return each.value !== each.defaultValue;
    const drawn = [...each.options].findIndex((option) => option.defaultSelected);
    return each.selectedIndex !== Math.max(0, drawn);
  };

  const unsaved = (form) => "dirty" in form.dataset || fields(form).some(changed);

  const mark = (form) => {
    const words = form.querySelector("[data-unsaved]");
    const text = words && unsaved(form) ? words.dataset.unsaved : "";
    if (words && words.textContent.trim() !== text) words.textContent = text;
  };

  let leaving = false; // a form has been sent: what is unsaved goes with it
  const warn = (event) => {
    if (!leaving && [...document.querySelectorAll("form[data-guard]")].some(unsaved)) event.preventDefault();
  };

  // "Add row" and "Use the default" without leaving the page: the server draws the form, and only their part of it is taken.
  const redraw = async (event) => {
    const button = event.target.closest("button[data-redraw]");
    const part = button && !event.defaultPrevented ? button.closest("[data-part]") : null;
    if (!part) return;
    event.preventDefault();
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    const form = button.closest("form");
    const data = new FormData(form);
    data.append(button.name, button.value);
    try {
      const answer = await fetch(form.getAttribute("action") || location.href, { method: "POST", body: data });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = answer.ok && page.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (!fresh) throw new Error("not drawn");
      if (unsaved(form) || button.name.startsWith("reset:")) form.dataset.dirty = "";
      part.replaceWith(document.adoptNode(fresh));
      update(form);
      mark(form);
      const first = fresh.querySelector("[autofocus]") || fresh.querySelector("input:not([type=hidden]), select, textarea");
      if (first) first.focus();
    } catch {
      button.removeAttribute("aria-disabled");
      button.removeAttribute("data-redraw"); // the browser's own way is left
      button.click();
    }
  };

  // Where two have saved at once: who changes a field wants that, and not what the other one has saved.
  const take = (target) => {
    for (const each of document.querySelectorAll("[data-mine]")) {
      if (target.name === each.dataset.mine || target.name.startsWith(`${each.dataset.mine}.`)) each.checked = true;
    }
  };

  // "Test connection" in place: the button says that it is at work, and what was found takes the focus.
  const testing = (event) => {
    const button = event.target.closest("button[data-busy]");
    if (!button) return;
    if (event.type === "htmx:beforeRequest") {
      button.dataset.idle = button.textContent;
      button.textContent = button.dataset.busy;
      button.ariaDisabled = "true";
    } else if (button.dataset.idle) {
      button.textContent = button.dataset.idle;
      button.removeAttribute("aria-disabled");
    }
  };

  // Anything but that, such as the page to sign in, is for a page of its own.
  const sound = (event) => {
    const { elt, xhr } = event.detail.requestConfig ? { ...event.detail, elt: event.detail.requestConfig.elt } : event.detail;
    const button = elt && elt.closest("form[data-guard] button[hx-post]");
    if (!button || (xhr && xhr.status === 200 && !xhr.responseText.includes("<html"))) return;
    event.detail.shouldSwap = false;
    leaving = true;
    button.closest("form").requestSubmit(button);
  };

  const focus = (event) => {
    const found = event.target.querySelector("[data-focus], .form-errors");
    if (found) found.focus();
  };

  for (const name of ["htmx:beforeRequest", "htmx:afterRequest"]) document.addEventListener(name, testing);
  for (const name of ["htmx:beforeSwap", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, sound);
  document.addEventListener("htmx:afterSwap", focus);
  for (const form of new Set([...document.querySelectorAll("[data-part]")].map((part) => part.closest("form")))) {
    if (!form) continue;
    update(form);
    mark(form);
    form.addEventListener("change", (event) => {
      take(event.target);
      update(form);
      mark(form);
    });
    form.addEventListener("input", () => mark(form));
    form.addEventListener("click", redraw);
    form.addEventListener("invalid", show, true);
  }
  window.addEventListener("beforeunload", warn);
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-guard]") && !event.defaultPrevented) leaving = true;
  });
  // The browser may have put back what was typed before.
  window.addEventListener("pageshow", () => {
    leaving = false;
    for (const form of document.querySelectorAll("form.settings-form")) {
      update(form);
      mark(form);
    }
  });
})();
