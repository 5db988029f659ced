// Makes pages nicer for those who have JavaScript; every page works without it.
"use strict";

(() => {
  const page = document.documentElement;
  const relative = new Intl.RelativeTimeFormat(page.lang || "en", { numeric: "auto" });
  // A browser need not know every zone that the server knows; then what the server wrote stays.
  const formatIn = (timeZone) => {
    const format = (how) => new Intl.DateTimeFormat(page.lang || "en", { ...how, timeZone });
    try {
      const moment = format({ dateStyle: "medium", timeStyle: "short" });
      const zone = format({ timeZoneName: "short" }); // which of the two a place has depends on the day
      const isName = ({ type }) => type === "timeZoneName";
      return (at) => `${moment.format(at)} ${zone.formatToParts(at).find(isName).value}`;
    } catch {
      return null;
    }
  };
  const exact = formatIn(page.dataset.timeZone || "UTC");
  const steps = [
    [60, "second", 1],
    [3600, "minute", 60],
    [86400, "hour", 3600],
  ];

  // "5 minutes ago" within a day, else date, time and zone, in the reader's language and the organisation's time zone. What somebody has
  // chosen (data-exact) stays date and time.
  const tellTimes = (root) => {
    for (const element of root.querySelectorAll("time[datetime]")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const seconds = (at.getTime() - Date.now()) / 1000;
      const step = !("exact" in element.dataset) && steps.find(([limit]) => Math.abs(seconds) < limit);
      const written = exact ? exact(at) : element.textContent;
      element.title = written;
      element.textContent = step ? relative.format(Math.round(seconds / step[2]), step[1]) : written;
    }
  };

  // Tables of plugins become readable on a narrow screen too: each cell is told its column's name.
  const labelCells = (table) => {
    const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, index) => {
        if (cell.tagName === "TD" && names[index] && !cell.dataset.label) cell.dataset.label = names[index];
      });
    }
    table.classList.add("table-stack");
  };

  // A second press of a button that is still at work does nothing. After a download the page stays, and nobody says when it ended.
  const holdBack = (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || "download" in form.dataset) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    const button = event.submitter;
    if (!button) return;
    button.setAttribute("aria-disabled", "true");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  };

  const letGo = () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
  };

  // A dismissed banner leaves the page once its plugin has said so, with an empty answer. Anything else, such as the page to sign
  // in, leaves it there with a word about it; the rest of the page, and what was typed into it, stays in any case.
  const dismiss = (event) => {
    const banner = event.target.closest(".banner");
    if (!banner) return;
    const { xhr } = event.detail;
    if (event.type === "htmx:beforeSwap" && xhr.status === 200 && xhr.responseText === "") {
      document.getElementById("main").focus({ preventScroll: true });
      return;
    }
    event.detail.shouldSwap = false;
    banner.querySelector(".banner-failed").hidden = false;
  };

  tellTimes(document);
  for (const name of ["htmx:beforeSwap", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, dismiss);
  document.querySelectorAll("table.table:not(.table-stack, .table-narrow, .table-words)").forEach(labelCells);
  document.addEventListener("submit", holdBack);
  window.addEventListener("pageshow", letGo);
  // What a swap brings is told its times before it is painted. htmx's own event comes some 20 ms later: rows would change their height.
  const tellNew = (records) => {
    for (const { addedNodes } of records) {
      for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) tellTimes(node);
    }
  };
  new MutationObserver(tellNew).observe(document.body, { childList: true, subtree: true });
  // Where the navigation is a strip, the page one is on stays in sight by style alone; here its neighbours come into view as well.
  const here = document.querySelector(".rail-nav li:has([aria-current])");
  if (here) {
    here.style.position = "static"; // where it stands, not where it is held
    here.scrollIntoView({ block: "nearest", inline: "center" });
    here.style.position = "";
  }
  const strip = document.querySelector(".rail-nav");
  if (strip) {
    strip.addEventListener("focusin", ({ target }) => {
      if (target.matches(":focus-visible")) target.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }
  const first = document.querySelector(".form-errors, [data-focus]");
  if (first) first.focus();
})();
