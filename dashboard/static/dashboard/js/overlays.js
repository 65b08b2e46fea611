// Small papers: menus are <details>; Escape and a click elsewhere close them, focus goes back to what opened them.
"use strict";
(() => {
  const openMenus = () => [...document.querySelectorAll("details.menu[open]")];

  function closeMenus(except) {
    let closed = false;
    for (const menu of openMenus()) {
      if (except && menu.contains(except)) continue;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
      closed = true;
    }
    return closed;
  }

  document.addEventListener("click", (event) => {
    const inside = event.target.closest("[data-open]") ? null : event.target;
    closeMenus(inside);
    const opener = event.target.closest("[data-open]");
    if (opener && !event.metaKey && !event.ctrlKey) {
      event.preventDefault(); // a link of the same leads there without scripts
      document.getElementById(opener.dataset.open).showModal();
    }
    const copier = event.target.closest("[data-copy]");
    if (copier) copy(copier);
  });

  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLDetailsElement) || !menu.classList.contains("menu") || !menu.open) return;
    const field = menu.querySelector("input[type=search]");
    if (field) field.focus();
    keepInView(menu.querySelector(".paper"));
  }, true);

  // A paper that would leave the window at the right hangs from the right instead.
  function keepInView(paper) {
    if (!paper || paper.classList.contains("right")) return;
    if (paper.getBoundingClientRect().right > document.documentElement.clientWidth - 8) paper.classList.add("right");
  }

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy).textContent;
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = said; }, 2000);
  }

  window.flowledger = Object.assign(window.flowledger || {}, { closeMenus });
})();
