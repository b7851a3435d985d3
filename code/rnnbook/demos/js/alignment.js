/* Where a model looks while it writes: letters above, kana below, and lines between them. */

const FEWEST = 10; // letters or kana that have their room from the beginning
const COLUMN = 48, TOP = 56, BOTTOM = 168, HEIGHT = 216; // of the picture, in its own units
const LEAST = 28; // pixels of a column, at least
const MENTIONED = 3; // letters that are named in words

function makeAlignments(stage, settings, weights) {
  const { kana, sounds, heads } = settings;
  const model = heads ? new TransformerPair(weights, heads) : new EncoderDecoder(weights);
  let memory, name = [], path = [], chosen = null, head = "mean";

  const text = ({ id }) => (id === END ? say("end") : kana[id - 1]);
  const sound = ({ id }) => sounds[id - 1] ?? "";
  const finished = () => path.at(-1)?.id === END || path.length === PLACES;
  const looks = () => path.map(({ weights }) => (heads ? ofHead(weights, head) : [...weights]));
  /** The kana that is looked at: the one that was chosen, or the latest. */
  const at = () => chosen ?? path.findLastIndex(({ id }) => id !== END);

  const picture = makeAlignment((t) => {
    field.pause();
    chosen = t;
    field.show();
  });

  function read(ids, word) {
    [name, path, chosen] = [[...word], [], null];
    if (ids) memory = model.encode(ids);
  }

  function step() {
    path.push(written(model, memory, path));
    chosen = null;
  }

  const show = () =>
    picture.show(name, path.map((one) => ({ text: text(one), sound: sound(one), end: one.id === END })), looks(), at());

  /** The letters at which most of the weight of one kana lies. */
  function words() {
    if (!path.length) return "";
    const weights = looks()[at()];
    if (!weights) return "";
    const most = [...weights.keys()].sort((a, b) => weights[b] - weights[a]).slice(0, MENTIONED);
    const letters = most.sort((a, b) => a - b).map((s) => `${name[s]} ${percent(weights[s])}`).join(", ");
    return say("{kana} looks at {letters}", { kana: text(path[at()]), letters });
  }

  const field = makeNameField(settings, { read, step, show, words, finished });
  stage.append(toTry(say("Type a name, then point at a kana: where did the network look?")), ...field.nodes);
  if (heads) stage.append(element("div", { class: "controls" }, chooseHead(weights, heads, (value) => {
    head = value;
    field.show();
  })));
  stage.append(picture.node);
  field.open();
}

/** The weights of one head, "layer,head", or the mean of all. */
function ofHead(layers, head) {
  if (head !== "mean") {
    const [layer, number] = head.split(",");
    return layers[layer][number];
  }
  const all = layers.flat();
  return all[0].map((_, s) => all.reduce((sum, one) => sum + one[s], 0) / all.length);
}

function chooseHead(weights, heads, onchange) {
  const options = { mean: say("all: their mean") };
  for (let layer = 0; `writers.${layer}.norm_1.weight` in weights; layer++) {
    for (let number = 0; number < heads; number++) {
      options[[layer, number]] = say("layer {layer}, head {head}", { layer: layer + 1, head: number + 1 });
    }
  }
  return choice(say("Head"), options, "mean", onchange);
}

/* ------------------------------------------------------------------ the picture */

/** `choose(t)` is called for a kana that the reader points at. `show(letters, kana, looks, at)`
    draws what was read and written, and for the kana number `at` where it looked. */
function makeAlignment(choose) {
  const lines = drawing("g"), letters = drawing("g"), kana = drawing("g");
  const svg = drawing("svg", { class: "chart alignment", role: "group", "aria-label": say("The kana that are written. Choose one to see where it looks.") },
    lines, letters, kana);
  let keys = [];

  function show(name, written, looks, at) {
    const columns = Math.max(name.length, written.length, FEWEST);
    const place = (k, count) => (k + 0.5 + (columns - count) / 2) * COLUMN;
    svg.setAttribute("viewBox", `0 0 ${columns * COLUMN} ${HEIGHT}`);
    svg.style.minWidth = `${columns * LEAST}px`; // what is wider than a telephone can be scrolled
    const [X, Y] = [(s) => place(s, name.length), (t) => place(t, Math.max(written.length, 1))];
    const order = [...looks.keys()].sort((a, b) => (a === at) - (b === at)); // the chosen one on top
    lines.replaceChildren(...order.flatMap((t) => name.map((_, s) => line(Y(t), X(s), looks[t][s], t === at))));
    letters.replaceChildren(...name.map((letter, s) => letterBox(X(s), letter, looks[at]?.[s] ?? 0)));
    while (keys.length < written.length) keys.push(kanaKey(keys.length));
    keys.forEach((key, t) => key.show(written[t], Y(t), t === at));
    if (kana.children.length !== written.length) kana.replaceChildren(...keys.slice(0, written.length).map(({ node }) => node));
  }

  const line = (from, to, weight, strong) => drawing("line", {
    x1: from, y1: BOTTOM - 22, x2: to, y2: TOP + 4, class: strong ? "look strong" : "look", "stroke-width": 1 + 7 * weight,
    opacity: weight < 0.01 ? 0 : Math.min(1, 0.1 + weight),
  });

  function letterBox(x, letter, weight) {
    const box = { x: x - COLUMN / 2 + 2, y: TOP - 36, width: COLUMN - 4, height: 38, rx: 4 };
    return drawing("g", {},
      drawing("rect", { ...box, class: "seen", style: `--share: ${weight}` }),
      drawing("text", { x, y: TOP - 8, class: "letter" }, letter),
      drawing("text", { x, y: TOP - 42, class: "value" }, weight < 0.095 ? "" : percent(weight)));
  }

  /** A kana that can be pointed at, clicked, and reached with arrow keys. */
  function kanaKey(t) {
    const box = drawing("rect", { width: COLUMN - 4, height: 62, rx: 4 });
    const sign = drawing("text", { class: "letter", lang: "ja" }), heard = drawing("text", { class: "value" });
    const node = drawing("g", {
      class: "kana", role: "button", onpointerenter: () => choose(t), onclick: () => choose(t),
      onfocus: () => choose(t), onkeydown: ({ key }) => keys[t + ({ ArrowRight: 1, ArrowLeft: -1 }[key] ?? 0)]?.node.focus(),
    }, box, sign, heard);

    function show(written, x, pressed) {
      if (!written) return;
      box.setAttribute("x", x - COLUMN / 2 + 2);
      box.setAttribute("y", BOTTOM - 20);
      for (const [part, y, text] of [[sign, BOTTOM + 12, written.text], [heard, BOTTOM + 32, written.sound]]) {
        part.setAttribute("x", x);
        part.setAttribute("y", y);
        part.textContent = text;
      }
      sign.classList.toggle("end", written.end);
      node.setAttribute("aria-pressed", pressed);
      node.setAttribute("tabindex", pressed ? 0 : -1); // one stop of the Tab key
    }

    return { node, show };
  }

  return { node: element("div", { class: "scroll" }, svg), show };
}

demos("alignment", makeAlignments);
