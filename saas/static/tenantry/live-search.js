// Searches while somebody types: the same page is asked for, and its list takes the place of the one that is shown. Without
// JavaScript the form is sent by its button, to the same address.
"use strict";

(() => {
  const PAUSE = 180; // milliseconds without a key, then it is asked

  const live = (form) => {
    const id = form.dataset.liveSearch;
    const box = form.querySelector("input[type=search]");
    const status = document.querySelector("[data-live-status]");
    let timer = 0;
    let asked = null;
    let last = box.value.trim();

    const address = () => {
      const url = new URL(form.action || window.location.href);
      const given = [...new FormData(form)].filter(([, value]) => String(value).trim() !== "");
      url.search = new URLSearchParams(given.map(([name, value]) => [name, String(value).trim()])).toString();
      url.hash = "";
      return url;
    };

    const show = (text, url) => {
      const found = new DOMParser().parseFromString(text, "text/html").getElementById(id);
      if (!found) {
        window.location.assign(url); // another page answered, such as the one to sign in on
        return;
      }
      document.getElementById(id).replaceWith(document.adoptNode(found));
      window.history.replaceState(null, "", url);
      const count = document.querySelector(`#${id} [data-live-count]`);
      if (status && count) status.textContent = count.textContent;
    };

    const ask = async () => {
      const url = address();
      if (asked) asked.abort();
      asked = new AbortController();
      try {
        const answer = await fetch(url, { signal: asked.signal, credentials: "same-origin" });
        if (answer.ok) show(await answer.text(), url);
      } catch (error) {
        if (error.name !== "AbortError" && status) status.textContent = "";
      }
    };

    box.addEventListener("input", () => {
      if (box.value.trim() === last) return;
      last = box.value.trim();
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, PAUSE);
    });
  };

  document.querySelectorAll("form[data-live-search]").forEach(live);
})();
