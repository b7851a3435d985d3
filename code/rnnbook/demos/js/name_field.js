/* A field for a name, and buttons that write it kana by kana: what the figures on names share. */

const KANA_MILLISECONDS = 300, BETWEEN_KEYS = 500;

/** A name as the model was taught names: in small letters without accents, like `plain` in
    `rnnbook.data.pairs` (an apostrophe is made plain when the reader types it). */
const plain = (text) =>
  text.trim().toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").normalize("NFC");

/** What keeps a name from being read, in words, or an empty text. */
function problem(name, letters, longest) {
  const unknown = [...new Set([...name].filter((c) => !letters.includes(c)))].slice(0, 8);
  if (!name) return say("Type a name in Latin letters.");
  if ([...name].length > longest) return say("The network was taught names of at most {longest} letters.", { longest });
  const some = unknown.map((c) => (c === " " ? say("a space") : c)).join(", ");
  const known = [...letters].sort((a, b) => /\p{L}/u.test(b) - /\p{L}/u.test(a)).join("");
  return some && say("The network does not know {some}. It knows: {known}", { some, known });
}

/** The field with its buttons, names to try, and a line that says what was written. What writes is
    `writer`:
    - read(ids, name) begins anew with a name; where there is none that can be read, ids is null;
    - step() writes a kana more, and finished() says whether there is none to come;
    - show() draws what is written, and words() says it. */
function makeNameField({ letters, examples, longest }, writer) {
  let trouble = "", playing = null, waiting = null;
  const finished = () => trouble !== "" || writer.finished();

  const input = element("input", {
    type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false",
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

  /** Read the name anew, and forget what was written. */
  function begin() {
    pause();
    const name = plain(input.value).replaceAll("’", "'"); // which telephones write
    trouble = problem(name, letters, longest);
    writer.read(trouble ? null : [...name].map((c) => letters.indexOf(c) + 1), trouble ? "" : name);
    show();
  }

  function step() {
    if (!trouble) writer.step();
    show();
  }

  function write() {
    if (finished()) begin();
    run();
  }

  function run() {
    pause();
    if (calm.matches) while (!finished()) writer.step();
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
    writer.show();
    status.textContent = playing || trouble ? trouble : writer.words();
  }

  /** Begin with the first example, written to its end. */
  function open() {
    input.value = examples[0];
    begin();
    while (!finished()) writer.step();
    show();
  }

  const line = element("div", { class: "controls line" },
    element("label", { class: "opening" }, element("span", {}, say("Name")), input), go, one);
  const names = element("div", { class: "controls names", role: "group", "aria-label": say("Names to try") },
    ...examples.map((name) => button(name, () => {
      input.value = name;
      begin();
      run();
    })));
  return { nodes: [line, names, status], open, pause, run, show };
}
