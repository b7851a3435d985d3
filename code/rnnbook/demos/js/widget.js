/* What the demos share: elements, controls, random numbers, and how a demo begins. */

/** The words of the page's language for those of a program; {names} in them stand for values. A
    page without them, as in a notebook, has English. */
const WORDS = JSON.parse(document.querySelector("#words")?.textContent ?? "{}");
const say = (english, values = {}) =>
  (WORDS[english] ?? english).replace(/\{(\w+)\}/g, (_, name) => values[name]);

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** An element: element("button", {onclick: f, class: "x"}, "text", child, …). */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function drawing(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** A probability or share in few signs: 62 %, 3.1 %, < 0.1 %, > 99 %; only 0 and 1 are 0 % and 100 %. */
function percent(p) {
  if (p > 0 && p < 0.001) return "<\u00a00.1\u00a0%";
  if (p >= 0.995 && p < 1) return ">\u00a099\u00a0%";
  return `${(100 * p).toFixed(p > 0 && p < 0.0995 ? 1 : 0)}\u00a0%`;
}

/* ------------------------------------------------------------------ controls */

const button = (text, onclick, attributes = {}) =>
  element("button", { type: "button", onclick, ...attributes }, text);

/** What the reader may try, as the first line of a figure. */
const toTry = (words) => element("p", { class: "try" }, words);

/** A labelled slider with its value beside it. `show` turns the value into words; the longest
    that they get has its place from the beginning. `set` changes the value from the program. */
function slider(text, { min, max, step, value, show = String }, onchange) {
  const output = element("output", {}, show(value));
  output.style.minWidth = `${Math.max(...[min, max, value].map((v) => show(v).length))}ch`;
  const input = element("input", {
    type: "range", min, max, step, value, "aria-label": text, "aria-valuetext": show(value),
  });
  const name = () => {
    output.textContent = show(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    name();
    onchange(input.valueAsNumber);
  });
  const label = element("label", { class: "slider" }, element("span", {}, text), input, output);
  label.set = (to) => {
    input.value = to;
    name();
  };
  return label;
}

/** A labelled choice. `options` is {value: words}. */
function choice(text, options, value, onchange) {
  const select = element("select", { "aria-label": text, onchange: () => onchange(select.value) });
  for (const [key, words] of Object.entries(options)) {
    select.append(element("option", { value: key, selected: key === value }, words));
  }
  const label = element("label", { class: "choice" }, element("span", {}, text), select);
  label.select = select;
  return label;
}

/** A fold with what most readers need not see at once; closed at first. */
const more = (...children) =>
  element("details", { class: "more" }, element("summary", {}, say("More")), ...children);

/** A line that says what happens; screen readers read it when it changes. */
const statusLine = () => element("p", { class: "status", role: "status" });

/* ------------------------------------------------------------------ random numbers */

/** Numbers from 0 to 1 that depend on the seed alone (the generator "mulberry32"). */
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/* ------------------------------------------------------------------ work that takes long */

const LATER = "later";

/** Call `work` again and again, a little at a time, so that the page stays quick: until it
    returns true; when it returns LATER, not before the next frame. Returns what stops it. */
function inPieces(work, onerror, milliseconds = 10) {
  let running = true;
  const piece = () => {
    if (!running) return;
    const end = performance.now() + milliseconds;
    try {
      for (let result; running && result !== LATER && performance.now() < end; ) {
        result = work();
        if (result === true) running = false;
      }
    } catch (error) {
      running = false;
      onerror(error);
    }
    if (running) requestAnimationFrame(piece);
  };
  requestAnimationFrame(piece);
  return () => (running = false);
}

/* ------------------------------------------------------------------ weights */

/** Weights as `rnnbook.demos.weights` packs them: matrices in 8 bits with a scale for each row,
    vectors in 32 bits. Returns {name: matrix or vector}. */
function unpack(packed) {
  const weights = {};
  for (const { name, shape, scales, values } of packed) {
    const [rows, columns] = shape;
    if (columns === undefined) {
      weights[name] = checked(new Float32Array(bytes(values)), rows, name);
      continue;
    }
    const whole = checked(new Int8Array(bytes(values)), rows * columns, name);
    const scale = checked(new Float32Array(bytes(scales)), rows, name);
    const all = new Float32Array(whole.length);
    for (let k = 0; k < all.length; k++) all[k] = whole[k] * scale[Math.floor(k / columns)];
    weights[name] = rowsOf(all, columns);
  }
  return weights;
}

function checked(values, length, name) {
  if (values.length !== length) throw new Error(`${name}: ${values.length} numbers, not ${length}`);
  return values;
}

function bytes(base64) { // `from` is slow
  const text = atob(base64), found = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) found[k] = text.charCodeAt(k);
  return found.buffer;
}

/* ------------------------------------------------------------------ how a demo begins */

/** Begin the demos of a kind that stand on the page, each when it comes into view.
    `make(stage, settings, weights)` builds one; what it throws is said in its place. A notebook
    may put the output on the page a little later than it runs the program: so look again. */
function demos(kind, make, looks = 20) {
  if (looks > 1) setTimeout(() => demos(kind, make, looks - 1), 100);
  for (const root of document.querySelectorAll(`.rnn-demo[data-demo="${kind}"]:not([data-begun])`)) {
    root.dataset.begun = "";
    whenSeen(root, async () => {
      const stage = element("div", { class: "stage" });
      try {
        const weights = root.dataset.weights ? unpack(await loaded(root.dataset)) : null;
        make(stage, JSON.parse(root.dataset.settings), weights);
        root.replaceChildren(stage);
      } catch (error) {
        const words = say("This demo could not start: {problem}", { problem: error.message });
        root.append(element("p", { class: "problem", role: "alert" }, words));
      }
    });
  }
}

function whenSeen(node, begin) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    begin();
  }, { rootMargin: "300px" });
  observer.observe(node);
}

/** The packed weights of a demo: from the page, or from the file that holds them in the site. */
async function loaded({ weights, source }) {
  const models = (window.rnnbookModels ??= {});
  if (!models[weights] && source) {
    await new Promise((done) => {
      document.head.append(element("script", { src: source, onload: done, onerror: done }));
    });
  }
  if (!models[weights]) throw new Error(say("its weights are missing"));
  return models[weights];
}
