/* The writer: the character model of the chapter goes on with what the reader types. It opens with
   a line that it has written already, and "Write" goes on from what stands on the paper. */

const MOST_READ = 1000; // of the prompt, the last characters
const READING_PACE = 25; // characters a second
const OPENING = 80; // characters of the first line, at most
const BETWEEN_LOOKS = 500; // milliseconds, while it writes

/** What the LSTM knows after some characters: its state, and the logits of the next one. */
class CharacterReader {
  constructor({ embedding, W_x, W_h, b, head, head_b }, characters) {
    Object.assign(this, { embedding, head, head_b, characters });
    this.layer = new LSTM(W_x, W_h, b);
  }

  start() {
    return { state: this.layer.start(), logits: null };
  }

  read({ state }, id) {
    const next = this.layer.step(this.embedding[id], state);
    const kept = { h: next.h, c: next.c }; // not the way here: that would keep every state
    return { state: kept, logits: affine(this.head, next.h, this.head_b) };
  }
}

/** The probabilities from which a character is drawn: logits / temperature, the k likeliest. */
function sharpened(logits, temperature, k) {
  const threshold = [...logits].sort((a, b) => b - a)[Math.min(k, logits.length) - 1];
  const kept = [...logits].map((a) => (a < threshold ? -Infinity : a));
  if (temperature === 0) return kept.map((a) => (a === Math.max(...kept) ? 1 : 0));
  return softmax(kept.map((a) => a / temperature));
}

/** Draw an index with the given probabilities; r is uniform from 0 to 1. */
function drawn(p, r) {
  let sum = 0;
  for (let k = 0; k < p.length; k++) if ((sum += p[k]) > r) return k;
  return p.lastIndexOf(Math.max(...p));
}

/** What the model is to read first: its ids, and notes on what is left out. */
function readable(text, characters) {
  const begin = text.slice(-MOST_READ), notes = [];
  const unknown = [...new Set([...begin].filter((c) => !characters.includes(c)))];
  const ids = [...begin].map((c) => characters.indexOf(c)).filter((id) => id >= 0);
  if (text.length > MOST_READ) {
    notes.push(say("Only the last {most} characters are read.", { most: MOST_READ }));
  }
  if (unknown.length) {
    const some = unknown.slice(0, 8).join(" ") + (unknown.length > 8 ? " …" : "");
    notes.push(say("It does not know {some}; these are left out.", { some }));
  }
  return { ids: ids.length ? ids : [characters.indexOf("\n")], notes };
}

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
      element("span", { class: "value" }, `${(100 * p[other]).toFixed(1)} %`))));
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

function makeWriter(stage, { characters, prompt }, weights) {
  const reader = new CharacterReader(weights, characters);
  const V = characters.length;
  let stop = null, fresh = false, pinned = false; // fresh: the next text has another beginning
  let current, random, begun, notes, done;

  const options = { temperature: 0.7, k: V, length: 400, seed: 0, pace: "reading" };
  const change = (name) => (value) => (options[name] = value);
  const text = element("textarea", { rows: 2, spellcheck: "false", oninput: () => (fresh = true) });
  text.value = prompt;
  const temperature = slider(say("Temperature"),
    { min: 0, max: 2, step: 0.05, value: 0.7, show: (v) => v.toFixed(2) }, change("temperature"));
  const k = slider(say("Likeliest characters (top k)"),
    { min: 1, max: V, step: 1, value: V }, change("k"));
  const length = slider(say("Length"), { min: 20, max: 2000, step: 20, value: 400 }, change("length"));
  const seed = slider(say("Seed"), { min: 0, max: 99, step: 1, value: 0 }, (value) => {
    options.seed = value;
    fresh = true;
  });
  const pace = choice(say("Pace"),
    { reading: say("reading pace"), fast: say("as fast as it goes") }, "reading", change("pace"));
  const colours = makeColours(reader.layer.hiddenSize, () => paper.repaint());
  const expected = makeExpected(characters);
  const paper = makePaper(characters, colours.tint, (character, byReader) => {
    pinned ||= byReader;
    expected.show(character, colours.chosen());
  });
  const go = button(say("Write"), () => (stop ? finish(say("Stopped.")) : write()), { class: "primary write" });
  const again = button(say("Begin anew"), () => {
    finish("");
    fresh = true;
    write();
  });
  const status = statusLine();
  status.classList.add("written");

  /** Read the beginning, from a new state. */
  function begin() {
    const { ids, notes: left } = readable(text.value, characters);
    paper.clear();
    [fresh, done, notes, begun] = [false, 0, left, { ...options }];
    [current, random] = [reader.start(), uniform(options.seed)];
    for (const id of ids) follow(id, true);
  }

  /** Read a character and put it on the paper. */
  function follow(id, given) {
    const p = current.logits && softmax(current.logits);
    current = reader.read(current, id);
    paper.add({ id, p, h: current.state.h, given });
    done++;
  }

  /** Write a character, and return it. */
  function next() {
    const id = drawn(sharpened(current.logits, options.temperature, options.k), random());
    follow(id, false);
    return characters[id];
  }

  function write() {
    if (fresh) begin();
    go.textContent = say("Stop");
    status.textContent = notes.join(" ");
    pinned = false;
    expected.aloud(false);
    let count = 0, looked = 0;
    const startTime = performance.now();
    stop = inPieces(() => {
      const passed = performance.now() - startTime;
      if (options.pace === "reading" && count > (READING_PACE * passed) / 1000) return LATER;
      next();
      if (!pinned && !calm.matches && passed - looked > BETWEEN_LOOKS) {
        looked = passed;
        paper.last();
      }
      if (++count < options.length) return false;
      const rate = Math.round((1000 * count) / (performance.now() - startTime));
      const alike = ["temperature", "k", "seed"].every((name) => options[name] === begun[name]);
      const same = say("Temperature {temperature}, top k {k}, seed {seed}: the same settings write the same text.", options);
      finish([...notes, say("{done} characters, {rate} a second.", { done, rate }), alike ? same : ""].join(" "));
      return true;
    }, (error) => finish(error.message));
  }

  function finish(words) {
    stop?.();
    stop = null;
    go.textContent = say("Write");
    status.textContent = words;
    if (!pinned) paper.last();
    expected.aloud(true);
  }

  begin();
  for (let n = 0; n < OPENING && next() !== "\n"; n++); // the line that it opens with
  paper.strangest();
  status.textContent = say("With the keyboard: Tab leads to the text, arrow keys from letter to letter.");
  stage.append(
    toTry(say("Point at a letter: what was expected there? Then raise the temperature and write on.")),
    element("div", { class: "writing" }, paper.node, expected.node),
    element("div", { class: "controls line" }, go, temperature), status,
    element("div", { class: "controls line" },
      element("label", { class: "opening" }, element("span", {}, say("Begin with")), text), again),
    element("details", { class: "more" }, element("summary", {}, say("More settings")),
      element("div", { class: "controls" }, k, length, seed, pace, ...colours.controls)));
}

const visible = (sign) => ({ " ": "␣", "\n": "⏎" })[sign] ?? sign;

demos("writer", makeWriter);
