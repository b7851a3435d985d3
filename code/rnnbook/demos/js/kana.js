/* What a decoder writes: kana one after another, and whole answers, with their probabilities. */

const WIDTH = 4; // of the beam
const PLACES = 16; // of kana, and of the sign at the end
const SEEN = 9; // places that have their room from the beginning; more can be scrolled to
const OTHERS = 2; // likely kana shown below the one that is written

/** A text, mostly kana, with a probability. */
const sign = (name, kind, attributes = {}) => element(name, { class: `sign ${kind}`, ...attributes },
  element("span", { lang: "ja" }), " ", element("span", { class: "value" }));

function fill(node, text, p) {
  node.style.setProperty("--share", p);
  node.firstChild.textContent = text;
  node.lastChild.textContent = text && percent(p);
}

/* ------------------------------------------------------------------ kana by kana */

/** A place for each kana: the one that is written, how it sounds, and below it the likeliest
    others, which are buttons. `choose(t, id)` is called when one is to stand in the place t. */
function makePlaces(kana, sounds, choose) {
  const text = (id) => (id === END ? say("end") : kana[id - 1]);
  const places = Array.from({ length: PLACES }, (_, t) => {
    const kept = sign("div", "kept"), sound = element("span", { class: "sound" });
    kept.lastChild.before(sound);
    const others = Array.from({ length: OTHERS }, () =>
      sign("button", "other", { type: "button", onclick: ({ currentTarget }) => choose(t, Number(currentTarget.dataset.id)) }));
    return { kept, sound, others, item: element("li", {}, kept, ...others) };
  });
  const list = element("ol", { class: "places", "aria-label": say("The kana, and what else was likely. Arrow keys go from one to the next.") },
    ...places.map(({ item }) => item));
  const node = element("div", { class: "scroll" }, list);
  list.addEventListener("keydown", (event) => moveFocus(event, places));

  function show(path) {
    places.forEach(({ kept, sound, others, item }, t) => {
      const step = path[t];
      item.className = step ? "" : t < SEEN ? "empty" : "hidden";
      for (const key of others) [key.disabled, key.tabIndex] = [!step, -1];
      if (!step) return;
      showStep(step, kept, others, t);
      sound.textContent = sounds[step.id - 1] ?? "";
    });
    places[0].others[0].tabIndex = 0; // one stop of the Tab key
    node.scrollLeft = path.length && placeEnd(places[path.length - 1].item) - node.clientWidth;
  }

  /** Where a place ends: its distance from the beginning of the list. */
  const placeEnd = (item) => item.offsetLeft + item.offsetWidth - list.offsetLeft;

  function showStep({ id, best, p }, kept, others, t) {
    fill(kept, text(id), p[id]);
    kept.classList.toggle("second", id !== best);
    kept.classList.toggle("end", id === END);
    const order = [...p.keys()].filter((other) => other !== id).sort((a, b) => p[b] - p[a]);
    others.forEach((key, k) => {
      fill(key, text(order[k]), p[order[k]]);
      key.dataset.id = order[k];
      key.setAttribute("aria-label", say("{kana} {p}, in place of number {t}", { kana: text(order[k]), p: percent(p[order[k]]), t: t + 1 }));
    });
  }

  return { node, show };
}

/** Arrow keys go from one likely kana to another. */
function moveFocus(event, places) {
  const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key] ?? [0, 0];
  const t = places.findIndex(({ others }) => others.includes(event.target));
  if (t < 0 || (right === 0 && down === 0)) return;
  event.preventDefault();
  places[t + right]?.others[places[t].others.indexOf(event.target) + down]?.focus();
}

/* ------------------------------------------------------------------ whole answers */

/** The answers that the search has kept, or their beginnings. `take(k)` is called for one that is
    to be shown kana by kana. */
function makeAnswers(kana, take) {
  const keys = Array.from({ length: WIDTH }, (_, k) =>
    sign("button", "answer", { type: "button", onclick: () => take(k) }));
  const node = element("ol", { class: "answers" }, ...keys.map((key) => element("li", {}, key)));
  const text = ({ ids, ended }) => ids.map((id) => kana[id - 1]).join("") + (ended ? "" : " …");
  const show = (kept, current) => keys.forEach((key, k) => {
    const one = kept[k];
    key.disabled = !one;
    fill(key, one ? text(one) : "", one ? Math.exp(one.score) : 0);
    key.setAttribute("aria-current", Boolean(one?.ended) && one.ids.join() === current);
  });
  return { node, show };
}
