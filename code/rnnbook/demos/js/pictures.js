/* The network of the chapter says what it sees, in two languages, and shows where it looked. */

const SPOKEN = [ // the languages by their numbers, and how long a word takes, or a character
  { code: "en", name: "English", milliseconds: 450 },
  { code: "ja", name: "日本語", milliseconds: 200 },
];
const MOST_WORDS = 60; // or characters, and the end

function makePictures(stage, { pictures, words, heads }, weights) {
  const model = new Captioner(weights, heads);
  const known = pictures.map(({ pixels, captions }) => ({ pixels: new Uint8Array(bytes(pixels)), captions }));
  let picture, places, path = [], chosen = null, head = "mean", playing = null;
  let language = Math.max(0, SPOKEN.findIndex(({ code }) => code === document.documentElement.lang));

  const finished = () => path.at(-1)?.id === END || path.length === MOST_WORDS;
  const said = () => path.filter(({ id }) => id !== END);
  const word = ({ id }) => words[id - 1];

  const sheet = makePictureSheet({
    begun: () => {
      pause();
      sheet.look(null);
    },
    covered: () => {
      begin();
      run();
    },
  });
  const caption = makeCaption((t) => {
    pause();
    chosen = t;
    show();
  });
  const gallery = known.map((one) => {
    const canvas = element("canvas", { width: PICTURE, height: PICTURE });
    paint(canvas, one.pixels);
    const key = button("", () => {
      choose(one);
      run();
    });
    key.append(canvas, ...SPOKEN.map(({ code }) => element("span", { class: "hidden-words", lang: code }, one.captions[code][0])));
    return key;
  });
  const languages = SPOKEN.map(({ code, name }, k) => button(name, () => speak(k), { lang: code }));
  const write = button("", () => (playing ? pause() : run()), { class: "primary play" });
  const one = button(say("One word"), () => {
    pause();
    if (finished()) begin();
    step();
  });
  const uncover = button(say("Uncover"), () => {
    choose(picture);
    run();
  });
  const options = { mean: say("all: their mean") };
  for (let k = 0; k < heads; k++) options[k] = say("head {number}", { number: k + 1 });
  const heading = choice(say("Head"), options, "mean", (value) => {
    head = value;
    show();
  });
  const status = statusLine();
  const right = element("p", { class: "right" });

  function choose(another) {
    picture = another;
    gallery.forEach((key, k) => key.setAttribute("aria-pressed", known[k] === picture));
    right.replaceChildren(say("Right:"), ...SPOKEN.map(({ code }) =>
      element("span", { lang: code }, picture.captions[code].join(" / "))));
    sheet.set(picture.pixels);
    begin();
  }

  /** Look at the picture as it is now, and forget what was said. */
  function begin() {
    pause();
    places = model.see(sheet.pixels);
    [path, chosen] = [[], null];
    show();
  }

  /** Go on in another language, or say all in it where a caption has ended. */
  function speak(k) {
    language = k;
    if (finished()) begin();
    if (playing || !path.length) run();
    show();
  }

  function step() {
    path.push(spoken(model, places, path, language));
    chosen = null;
    show();
  }

  function run() {
    pause();
    if (finished()) begin();
    if (calm.matches) return toTheEnd();
    write.textContent = say("Pause");
    wait();
  }

  function wait() {
    playing = setTimeout(() => {
      step();
      if (finished()) pause();
      else wait();
    }, SPOKEN[language].milliseconds);
  }

  function toTheEnd() {
    while (!finished()) step();
  }

  function pause() {
    clearTimeout(playing);
    playing = null;
    write.textContent = say("Write");
  }

  function show() {
    const all = said(), at = chosen ?? (finished() ? null : all.length - 1);
    caption.show(all.map((step) => ({ text: word(step), language: step.language })), at);
    sheet.look(all[at] ? ofHead(all[at].looks, head) : null);
    const asked = all[at] ? [all[at]] : path; // a word, or the whole caption with its end
    const text = asked.filter(({ id }) => id !== END).map(word), p = asked.reduce((product, step) => product * step.p, 1);
    status.textContent = text.length ? say("{word}: probability {p}", { word: sentence(text), p: percent(p) }) : "";
    languages.forEach((key, k) => key.setAttribute("aria-pressed", k === language));
    right.classList.toggle("unsaid", !finished());
  }

  stage.append(
    toTry(say("Cover a part of the picture, or change the language in the middle: what does the network say now?")),
    element("div", { class: "examples gallery", role: "group", "aria-label": say("Pictures") }, ...gallery),
    element("div", { class: "picture-columns" },
      element("div", {}, sheet.node, element("div", { class: "controls line" }, uncover, heading)),
      element("div", {},
        element("div", { class: "controls" },
          element("div", { class: "spoken", role: "group", "aria-label": say("Language") }, ...languages), write, one),
        status, caption.node, right)));
  choose(known[0]);
  toTheEnd();
}

/** Words with spaces between them, characters without. */
const sentence = (words) => words.reduce((text, word) => text + (/[a-z]$/.test(text) || /^[a-z]/.test(word) ? " " : "") + word);

/** The weights of one head, or the mean of all. */
const ofHead = (looks, head) =>
  head === "mean" ? looks[0].map((_, s) => looks.reduce((sum, look) => sum + look[s], 0) / looks.length) : looks[head];

/** The words that were said, with their language where it begins. `choose(t)` is called for a word
    that the reader points at. */
function makeCaption(choose) {
  const node = element("div", { class: "caption", role: "group", "aria-label": say("What it says. Choose a word to see where it looked.") });
  let keys = [], spoken = [];

  function add({ text, language }, t) {
    const { code, name } = SPOKEN[language];
    if (language !== spoken[t - 1]?.language) node.append(element("span", { class: "labelled", lang: code }, name));
    const key = button(text, () => choose(t), {
      lang: /[a-z]/.test(text) ? "en" : "ja", onpointerenter: () => choose(t), onfocus: () => choose(t),
      onkeydown: (event) => keys[t + ({ ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0)]?.focus(),
    });
    keys.push(key);
    node.append(key);
  }

  /** Show words, each with its language; number `at` is the one that is looked at, if any. */
  function show(words, at) {
    if (words.length < spoken.length || !words.length) {
      keys = [];
      node.replaceChildren();
    }
    spoken = words;
    words.slice(keys.length).forEach((one) => add(one, keys.length));
    keys.forEach((key, t) => {
      key.setAttribute("aria-pressed", t === at);
      key.tabIndex = t === (at ?? 0) ? 0 : -1; // one stop of the Tab key
    });
  }

  return { node, show };
}

demos("pictures", makePictures);
