/* What a page does besides showing itself: light and dark, copying code, the place in the page. */
"use strict";

{ // a scope of its own: the programs of the live figures have names, too

const root = document.documentElement;
const words = JSON.parse(document.querySelector("#words")?.textContent ?? "{}");
const say = (english) => words[english] ?? english;

/** What the browser keeps for this site; nothing where it is told to keep nothing. */
const kept = (() => {
  try {
    return localStorage;
  } catch {
    return { getItem: () => null, setItem() {} };
  }
})();

/* Light and dark. A choice is kept; without one the system decides. */
const theme = document.querySelector(".theme");
const nameTheme = () => {
  theme.textContent = root.dataset.theme === "dark" ? say("Light") : say("Dark");
};
theme.hidden = false;
theme.addEventListener("click", () => {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  kept.setItem("theme", root.dataset.theme);
  nameTheme();
});
nameTheme();

/* Ctrl+K or ⌘K goes to the search. */
addEventListener("keydown", (event) => {
  if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  document.querySelector("header input").focus({ preventScroll: true });
});

/* The menus close when the reader turns elsewhere. */
const menu = document.querySelector(".use");
addEventListener("click", ({ target }) => !menu?.contains(target) && menu?.removeAttribute("open"));
addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !menu?.open) return;
  if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  menu.open = false;
});
menu?.addEventListener("focusout", ({ relatedTarget }) => {
  if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
});

/* So do the contents, which on a narrow screen are a menu, too. */
const contents = document.querySelector("#contents");
const showPlace = () => { // where one is
  const here = contents.querySelector("[aria-current]");
  if (here) contents.scrollTop = here.offsetTop - contents.clientHeight / 3;
};
showPlace();
contents.addEventListener("toggle", showPlace);
const closeContents = () => contents.matches(":popover-open") && contents.hidePopover();
contents.addEventListener("click", ({ target }) => target.closest("a") && closeContents());
contents.addEventListener("focusout", ({ relatedTarget }) => {
  if (relatedTarget && !contents.contains(relatedTarget)) closeContents();
});

/* The other edition opens at the same section, or with the same search. */
for (const link of document.querySelectorAll(".languages a")) {
  const address = link.href;
  link.addEventListener("click", () => (link.href = address + location.search + location.hash));
}

/* On a phone what is out of sight is set when there is time, section by section, in small pieces. */
const PIECE = 100; // elements
const unset = [...document.querySelectorAll("main section > section")];
let waiting = []; // parts of one section
const setNext = () => {
  if (!waiting.length) {
    const section = unset.shift();
    if (!section) return;
    const inSight = section.firstElementChild.checkVisibility({ contentVisibilityAuto: true });
    waiting = inSight ? [] : [...section.children];
    for (const part of waiting) part.classList.add("waits");
    section.style.contentVisibility = "visible";
  }
  for (let size = 0; size < PIECE && waiting.length; ) {
    const part = waiting.shift();
    part.classList.remove("waits");
    size += 1 + part.querySelectorAll("*").length;
  }
  requestIdleCallback(setNext, { timeout: 200 });
};
// A font that came later would have all set again.
if (window.requestIdleCallback) addEventListener("load", () => document.fonts.ready.then(setNext));

/* A link within the page leads to its place, though folds on the way are closed and, on a phone,
   sections between are not set yet, so that their heights are guesses until one is there. */
const placeOf = (hash) => {
  try {
    return document.getElementById(decodeURIComponent(hash.slice(1)));
  } catch { // "%" alone is no character
    return null;
  }
};
const unfold = (place) => {
  for (let fold = place?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
};
const reach = (hash, frames = 10) => {
  const place = placeOf(hash);
  unfold(place);
  place?.scrollIntoView();
  if (place && frames) requestAnimationFrame(() => reach(hash, frames - 1));
};
addEventListener("click", ({ target }) => {
  const link = target.closest?.('a[href^="#"]');
  if (link) requestAnimationFrame(() => reach(link.hash));
});
if (location.hash) addEventListener("load", () => reach(location.hash));

/* One button opens all that a first reader may leave out, here and on pages to come. */
const deeper = [...document.querySelectorAll("details.deeper")];
if (deeper.length) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "open-deeper";
  const openDeeper = (open) => {
    for (const fold of deeper) fold.open = open;
    button.setAttribute("aria-pressed", open);
    button.textContent = open ? say("Fold the deeper parts") : say("Open the deeper parts");
  };
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") === "false";
    kept.setItem("deeper", open ? "open" : "folded");
    openDeeper(open);
  });
  openDeeper(kept.getItem("deeper") === "open");
  addEventListener("storage", ({ key, newValue }) => { // chosen on another page, now or just before this one
    if (key === "deeper") openDeeper(newValue === "open");
  });
  document.querySelector("main section > section").before(button);
}

/* Code can be copied. */
for (const code of document.querySelectorAll(".cell_input .highlight, [class*=highlight-] > .highlight")) {
  if (code.closest(".cell_output") || code.querySelector(".copy")) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = say("Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.querySelector("pre").textContent);
    button.textContent = say("Copied");
    setTimeout(() => (button.textContent = say("Copy")), 1500);
  });
  code.append(button);
}

/* A page is shared as the system does it; where it cannot, its address is copied. */
const share = document.querySelector(".share");
if (share) {
  const page = { title: document.title, url: document.querySelector("link[rel=canonical]").href };
  share.hidden = false;
  share.addEventListener("click", async () => {
    if (navigator.share) return navigator.share(page).catch(() => {}); // the reader thought better of it
    await navigator.clipboard.writeText(page.url);
    share.textContent = say("Copied");
    setTimeout(() => (share.textContent = say("Share")), 1500);
  });
}

/* A box that scrolls can be reached and scrolled with the keyboard. */
const boxes = new ResizeObserver((entries) => {
  const wide = entries.map(({ target }) => target.scrollWidth > target.clientWidth + 1); // read all,
  entries.forEach(({ target }, k) => { // then write: the page is laid out once
    if (wide[k]) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  });
});
for (const box of document.querySelectorAll("main :is(pre, table, .math)")) boxes.observe(box);

/* Paper shows what is deeper, and the code. An answer stays shut there unless the reader opened it. */
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("main details:is(.deeper, .hide):not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));

/* The section being read is marked in the list of the page's sections. */
const links = new Map([...document.querySelectorAll(".this-page a")].map((link) => [link.hash, link]));
const sections = [...document.querySelectorAll("main section[id]")];
const mark = () => {
  const current = sections.findLast((section) => section.getBoundingClientRect().top < 120);
  for (const [hash, link] of links) {
    if (hash === `#${current?.id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
};
if (links.size) {
  const observer = new IntersectionObserver(mark, { rootMargin: "-110px 0px -50% 0px" });
  for (const section of sections) observer.observe(section);
}

/* After a search: Sphinx's own script marks the words that were searched for. */
const searched = kept.getItem("sphinx_highlight_terms") || new URLSearchParams(location.search).get("highlight");
if (searched && !document.querySelector("#search-results")) {
  for (const name of ["documentation_options", "doctools", "sphinx_highlight"]) {
    const script = document.createElement("script");
    script.src = `${root.dataset.content_root}_static/${name}.js`;
    script.async = false;
    script.addEventListener("load", () => {
      const found = document.querySelector("main .highlighted");
      if (location.hash || !found) return;
      unfold(found);
      found.scrollIntoView({ block: "center" });
    });
    document.head.append(script);
  }
}

}
