/* The writer: the character model of the chapter goes on with what the reader types. It opens with
   a line that it has written already, and "Write" goes on from what stands on the paper. */

const READING_PACE = 25; // characters a second
const OPENING = 80; // characters of the first line, at most
const BETWEEN_LOOKS = 500; // milliseconds, while it writes

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
    more(element("div", { class: "controls" }, k, length, seed, pace, ...colours.controls)));
}

demos("writer", makeWriter);
