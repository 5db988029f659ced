// While somebody types their organisation's name, its address is proposed, until they write one of their own.
"use strict";

(() => {
  const box = document.querySelector("[data-slug-from]");
  if (!box) return;
  const address = box.querySelector("input");
  const name = document.getElementById(box.dataset.slugFrom);

  const writtenOut = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ł: "l", þ: "th", ð: "d" };
  // As `tenants/names.py` makes it: without accents, letters and digits with single hyphens between, a letter first.
  const proposed = (text) =>
    text
      .toLowerCase()
      .replace(/[ßæœøđłþð]/g, (letter) => writtenOut[letter])
      .normalize("NFKD")
      .toLowerCase()
      .replace(/[\u0300-\u036f]/g, "")
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^[-0-9]+/, "")
      .slice(0, 24)
      .replace(/-+$/, "");

  let ours = address.value === "" || address.value === proposed(name.value);
  address.addEventListener("input", () => {
    ours = address.value === "";
  });
  name.addEventListener("input", () => {
    if (!ours) return;
    const slug = proposed(name.value);
    address.value = slug.length < 3 ? "" : slug;
  });
})();
