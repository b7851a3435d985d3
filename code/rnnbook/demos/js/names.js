/* The writer of names: the encoder and decoder of the chapter write a name in katakana. */

const KANA_MILLISECONDS = 300, BETWEEN_KEYS = 500;

/** A name as the model was taught names: in small letters without accents. `plain` in
    `rnnbook.data.pairs` does the same. */
const plain = (text) =>
  text.trim().toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").normalize("NFC");

/** What keeps a name from being read, in words, or an empty text. */
function problem(name, letters) {
  const unknown = [...new Set([...name].filter((c) => !letters.includes(c)))].slice(0, 8);
  if (!name) return say("Type a name in Latin letters.");
  const some = unknown.map((c) => (c === " " ? say("a space") : c)).join(", ");
  const known = [...letters].sort((a, b) => /\p{L}/u.test(b) - /\p{L}/u.test(a)).join("");
  return some && say("The network does not know {some}. It knows: {known}", { some, known });
}

function makeNames(stage, { letters, kana, sounds, examples, longest }, weights) {
  const model = new EncoderDecoder(weights);
  let memory, trouble, path, search, kept, playing = null, waiting = null;

  const input = element("input", {
    type: "text", maxlength: longest, autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    oninput: () => {
      begin();
      waiting = setTimeout(run, BETWEEN_KEYS);
    },
    onkeydown: ({ key, isComposing }) => key === "Enter" && !isComposing && write(),
  });
  const go = button("", () => (playing ? show(pause()) : write()), { class: "primary play" });
  const one = button(say("One kana"), () => {
    pause();
    if (finished()) begin();
    step();
  });
  const status = statusLine();
  const places = makePlaces(kana, sounds, (t, id) => {
    pause();
    path = path.slice(0, t);
    path.push(written(model, memory, path, id));
    run();
  });
  const answers = makeAnswers(kana, (k) => {
    pause();
    path = [];
    for (const id of kept[k].ended ? [...kept[k].ids, END] : kept[k].ids) path.push(written(model, memory, path, id));
    show();
  });
  const ended = () => path.at(-1)?.id === END || path.length === PLACES;
  const finished = () => trouble !== "" || (ended() && search.done);

  /** Read the name anew, and forget what was written. */
  function begin() {
    pause();
    const name = plain(input.value);
    [trouble, path, kept] = [problem(name, letters), [], []];
    if (!trouble) {
      memory = model.encode([...name].map((c) => letters.indexOf(c) + 1));
      search = { steps: beam(model, memory, WIDTH, PLACES), done: false };
    }
    show();
  }

  /** Write a kana more, and let the search go on by one. */
  function step() {
    if (trouble) return;
    if (!ended()) path.push(written(model, memory, path));
    const next = search.steps.next();
    kept = next.value ?? kept;
    search.done = next.done || kept.every((answer) => answer.ended);
    show();
  }

  function write() {
    if (finished()) begin();
    run();
  }

  function run() {
    pause();
    if (calm.matches) while (!finished()) step();
    if (finished()) return show();
    go.textContent = say("Pause");
    playing = setInterval(() => {
      step();
      if (finished()) pause();
      if (!playing) show();
    }, KANA_MILLISECONDS);
  }

  function pause() {
    clearInterval(playing);
    clearTimeout(waiting);
    [playing, waiting] = [null, null];
    go.textContent = say("Write");
  }

  function show() {
    const ids = path.map(({ id }) => id).filter((id) => id !== END);
    places.show(path);
    answers.show(kept, ended() ? ids.join() : null);
    status.textContent = playing || !path.length ? trouble : words(ids);
  }

  /** What has been written, and whether there is better. */
  function words(ids) {
    const p = path.reduce((product, step) => product * step.p[step.id], 1);
    const known = { answer: ids.map((id) => kana[id - 1]).join(""), p: share(p) };
    if (!ended()) return say("{answer} …: probability {p} so far.", known);
    if (path.some(({ id, best }) => id !== best)) return say("{answer}: probability {p}. Orange: not its first choice.", known);
    const better = search.done && Math.exp(kept[0].score) > p * 1.0001;
    return better ? say("{answer}: probability {p}. The search found a likelier one.", known) : say("{answer}: probability {p}.", known);
  }

  stage.append(
    toTry(say("Type your own name. Then choose a kana from a lower row: how does it go on from there?")),
    element("div", { class: "controls line" },
      element("label", { class: "opening" }, element("span", {}, say("Name")), input), go, one),
    element("div", { class: "controls names", role: "group", "aria-label": say("Names to try") },
      ...examples.map((name) => button(name, () => {
        input.value = name;
        begin();
        run();
      }))),
    status,
    element("div", { class: "two" }, places.node, element("div", {},
      element("p", { class: "labelled" }, say("Beam search keeps four at each step")), answers.node)));
  input.value = examples[0];
  begin();
  while (!finished()) step();
  show();
}

demos("names", makeNames);
