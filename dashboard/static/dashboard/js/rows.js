// The whole row is clickable, the link is the name. j and k walk the rows.
"use strict";
(() => {
  document.addEventListener("click", (event) => {
    if (event.target.closest("a, button, summary, input, select, label")) return;
    const row = event.target.closest("tr[data-href]");
    if (!row || String(getSelection())) return;
    if (event.metaKey || event.ctrlKey) window.open(row.dataset.href);
    else location.assign(row.dataset.href);
  });

  function walk(step) {
    const links = [...document.querySelectorAll("tr[data-href] .name-cell a, tr[data-href] th a")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step));
    links[next].focus();
    links[next].scrollIntoView({ block: "nearest" });
  }

  // A list inside a menu is narrowed by what is typed above it.
  document.addEventListener("input", (event) => {
    const list = event.target.dataset && event.target.dataset.narrows;
    if (!list) return;
    const wanted = event.target.value.toLowerCase();
    for (const item of document.getElementById(list).children) {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
    }
  });

  window.flowledger = Object.assign(window.flowledger || {}, { walk });
})();
