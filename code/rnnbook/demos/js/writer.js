/* The writer: the character model of the chapter goes on with what the reader types. */

const MOST_READ = 1000; // of the prompt, the last characters
const READING_PACE = 25; // characters a second

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

function makeWriter(stage, { characters, prompt }, weights) {
  const reader = new CharacterReader(weights, characters);
  const V = characters.length, H = reader.layer.hiddenSize;
  let stop = null, written = [], chosen = -1;

  const options = { temperature: 0.7, k: V, length: 400, seed: 0, pace: "reading" };
  const change = (name) => (value) => (options[name] = value);
  const text = element("textarea", { rows: 2, "aria-label": say("the beginning"), spellcheck: "false" });
  text.value = prompt;
  const temperature = slider(say("Temperature"),
    { min: 0, max: 2, step: 0.05, value: 0.7, show: (v) => v.toFixed(2) }, change("temperature"));
  const k = slider(say("Likeliest characters (top k)"),
    { min: 1, max: V, step: 1, value: V }, change("k"));
  const length = slider(say("Length"), { min: 20, max: 2000, step: 20, value: 400 }, change("length"));
  const seed = slider(say("Seed"), { min: 0, max: 99, step: 1, value: 0 }, change("seed"));
  const pace = choice(say("Pace"),
    { reading: say("reading pace"), fast: say("as fast as it goes") }, "reading", change("pace"));
  const repaint = () => {
    unit.hidden = colour.select.value === "surprise";
    number.value = chosenUnit() ?? number.value;
    written.forEach(tint);
    if (chosen >= 0) show(chosen);
  };
  const colour = choice(say("Colour by"),
    { surprise: say("surprise"), unit: say("a hidden unit") }, "surprise", repaint);
  const number = element("input", { type: "number", min: 0, max: H - 1, value: 0, onchange: repaint });
  const unit = element("label", { hidden: true }, element("span", {}, say("Unit (0 to {last})", { last: H - 1 })), number);
  /** The number of the unit by which to colour, or null. */
  const chosenUnit = () => {
    if (colour.select.value === "surprise") return null;
    return Math.min(Math.max(Math.round(number.valueAsNumber) || 0, 0), H - 1);
  };
  const go = button(say("Write"), () => (stop ? finish(say("Stopped.")) : write()), { class: "primary" });
  const status = statusLine();
  const sheet = element("div");
  const paper = element("div", {
    class: "paper", tabindex: 0, role: "group",
    "aria-label": say("What it wrote. Arrow keys: what it expected at each character."),
  }, sheet);
  const hint = element("p", {}, say("Point at a letter of the text, or press Tab and then the arrow keys."));
  const expected = element("div", { class: "expected" }, hint);

  function write() {
    const begin = text.value.slice(-MOST_READ), random = uniform(options.seed);
    const unknown = [...new Set([...begin].filter((c) => !characters.includes(c)))];
    const ids = [...begin].map((c) => characters.indexOf(c)).filter((id) => id >= 0);
    const notes = [];
    if (text.value.length > MOST_READ) {
      notes.push(say("Only the last {most} characters are read.", { most: MOST_READ }));
    }
    if (unknown.length) {
      const some = unknown.slice(0, 8).join(" ") + (unknown.length > 8 ? " …" : "");
      notes.push(say("It does not know {some}; these are left out.", { some }));
    }
    if (ids.length === 0) ids.push(characters.indexOf("\n"));

    written = [];
    chosen = -1;
    expected.replaceChildren(hint);
    sheet.replaceChildren();
    go.textContent = say("Stop");
    status.textContent = notes.join(" ");
    const used = { ...options };
    let current = reader.start(), done = 0;
    const given = ids.length, startTime = performance.now();

    stop = inPieces(() => {
      const due = given + (READING_PACE * (performance.now() - startTime)) / 1000;
      if (options.pace === "reading" && done > due) return LATER;
      const p = current.logits && softmax(current.logits);
      const id = done < given ? ids[done] : drawn(sharpened(current.logits, used.temperature, used.k), random());
      current = reader.read(current, id);
      add({ id, p, h: current.state.h, given: done < given });
      done++;
      if (done < given + used.length) return false;
      const seconds = (performance.now() - startTime) / 1000;
      const rate = Math.round(done / seconds);
      const same = say("Temperature {temperature}, top k {k}, seed {seed}: the same settings write the same text.", used);
      finish([...notes, say("{done} characters, {rate} a second.", { done, rate }), same].join(" "));
      return true;
    }, (error) => finish(error.message));
  }

  function finish(words) {
    stop?.();
    stop = null;
    go.textContent = say("Write");
    status.textContent = words;
  }

  function add(character) {
    const sign = characters[character.id], index = written.length;
    const surprise = character.p ? -Math.log(character.p[character.id]) : null;
    const span = element("span", { class: character.given ? "given" : "" }, sign);
    span.addEventListener("pointerenter", () => show(index));
    written.push({ ...character, sign, surprise, span });
    tint(written[index]);
    sheet.append(span);
  }

  /** Colour a character by its surprise, or by the activation of a unit after it was read. */
  function tint({ span, surprise, h }) {
    const u = chosenUnit();
    if (u !== null) {
      const value = h[u];
      span.style.backgroundColor = `color-mix(in srgb, var(--${value > 0 ? "blue" : "orange"}) ${Math.round(70 * Math.abs(value))}%, transparent)`;
    } else {
      const share = surprise === null ? 0 : Math.min(1, surprise / 6);
      span.style.backgroundColor = `color-mix(in srgb, var(--red) ${Math.round(60 * share)}%, transparent)`;
    }
  }

  /** What was expected before a character, as bars. */
  function show(index) {
    const { p, sign, surprise, h } = written[index];
    written[chosen]?.span.classList.remove("chosen");
    chosen = index;
    written[index].span.classList.add("chosen");
    if (!p) {
      expected.replaceChildren(say("The first character: nothing was expected yet."));
      return;
    }
    const order = [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, 8);
    const rows = order.map((id) => element("li", { class: characters[id] === sign ? "drawn" : "", style: `--share:${p[id]}` },
      element("code", {}, visible(characters[id])), `${(100 * p[id]).toFixed(1)} %`));
    const u = chosenUnit();
    const known = { sign: visible(sign), surprise: surprise.toFixed(2), u, value: h[u]?.toFixed(2) };
    const words = u === null ? say("Before {sign}: surprise {surprise} nats", known)
      : say("Before {sign}: surprise {surprise} nats; after it: h[{u}] = {value}", known);
    expected.replaceChildren(element("p", { role: "status" }, words), element("ol", {}, ...rows));
  }

  paper.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10, Home: -written.length, End: written.length }[event.key];
    if (step === undefined || written.length === 0) return;
    event.preventDefault();
    show(Math.min(Math.max(chosen + step, 0), written.length - 1));
    written[chosen].span.scrollIntoView({ block: "nearest" });
  });

  stage.append(text, element("div", { class: "controls" }, go, pace), status, paper, expected,
    element("div", { class: "controls" }, temperature, k, length, seed, colour, unit));
}

const visible = (sign) => ({ " ": "␣", "\n": "⏎" })[sign] ?? sign;

demos("writer", makeWriter);
