/* What a writer shows: the paper, what was expected before each character, and colours. */

/** What was expected before a character: a line of words, and the eight likeliest as bars. */
function makeExpected(characters) {
  const words = element("p", { role: "status" }), list = element("ol");
  const node = element("div", { class: "expected" }, words, list);

  function show({ id, p, surprise, h }, u) {
    list.replaceChildren();
    if (!p) return (words.textContent = say("The first character: nothing was expected yet."));
    const known = { sign: visible(characters[id]), surprise: surprise.toFixed(2), u, value: h[u]?.toFixed(2) };
    words.textContent = u === null ? say("Before {sign}: surprise {surprise} nats", known)
      : say("Before {sign}: surprise {surprise} nats; after it: h[{u}] = {value}", known);
    const order = [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, 8);
    list.append(...order.map((other) => element("li", { class: other === id ? "drawn" : "", style: `--share:${p[other]}` },
      element("code", {}, visible(characters[other])), element("span", { class: "track" }),
      element("span", { class: "value" }, percent(p[other])))));
  }

  const aloud = (on) => words.setAttribute("aria-live", on ? "polite" : "off");
  return { node, show, aloud };
}

/** The paper: characters that one can point at or walk through, each in a colour. */
function makePaper(characters, colour, onchoose) {
  let written = [], chosen = -1;
  const sheet = element("div");
  const node = element("div", {
    class: "paper", tabindex: 0, role: "group",
    "aria-label": say("What it wrote. Arrow keys: what it expected at each character."),
  }, sheet);

  function add(character) {
    const index = written.length;
    const surprise = character.p ? -Math.log(character.p[character.id]) : null;
    const span = element("span", { class: character.given ? "given" : "" }, characters[character.id]);
    span.addEventListener("pointerenter", () => choose(index, true));
    written.push({ ...character, surprise, span });
    span.style.backgroundColor = colour(written[index]);
    sheet.append(span);
  }

  function choose(index, byReader = false) {
    written[chosen]?.span.classList.remove("chosen");
    chosen = index;
    written[index].span.classList.add("chosen");
    onchoose(written[index], byReader);
  }

  node.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10, Home: -written.length, End: written.length }[event.key];
    if (step === undefined || written.length === 0) return;
    event.preventDefault();
    choose(Math.min(Math.max(chosen + step, 0), written.length - 1), true);
    written[chosen].span.scrollIntoView({ block: "nearest" });
  });
  const clear = () => {
    sheet.replaceChildren();
    [written, chosen] = [[], -1];
  };
  const repaint = () => {
    for (const one of written) one.span.style.backgroundColor = colour(one);
    if (chosen >= 0) choose(chosen);
  };
  const last = () => choose(written.length - 1);
  /** Choose the letter that was expected least of those that the model wrote. */
  const strangest = () => {
    const surprises = written.map(({ given, surprise }) => (given ? -1 : surprise));
    choose(surprises.indexOf(Math.max(...surprises)));
  };
  return { node, add, clear, repaint, last, strangest };
}

/** By what the letters are coloured: by surprise, or by the activation of a unit. */
function makeColours(H, onchange) {
  const repaint = () => {
    unit.hidden = colour.select.value === "surprise";
    number.value = chosen() ?? number.value;
    onchange();
  };
  const colour = choice(say("Colour by"),
    { surprise: say("surprise"), unit: say("a hidden unit") }, "surprise", repaint);
  const number = element("input", { type: "number", min: 0, max: H - 1, value: 0, onchange: repaint });
  const unit = element("label", { hidden: true }, element("span", {}, say("Unit (0 to {last})", { last: H - 1 })), number);
  /** The number of the unit, or null. */
  const chosen = () => {
    if (colour.select.value === "surprise") return null;
    return Math.min(Math.max(Math.round(number.valueAsNumber) || 0, 0), H - 1);
  };
  const tint = ({ surprise, h }) => {
    const u = chosen(), share = u === null ? 60 * Math.min(1, (surprise ?? 0) / 6) : 70 * Math.abs(h[u]);
    const name = u === null ? "red" : h[u] > 0 ? "blue" : "orange";
    return `color-mix(in srgb, var(--${name}) ${Math.round(share)}%, transparent)`;
  };
  return { controls: [colour, unit], chosen, tint };
}

const visible = (sign) => ({ " ": "␣", "\n": "⏎" })[sign] ?? sign;
