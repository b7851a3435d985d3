/* Spoken digits, read frame by frame by two networks, and whispered while they are read. */

const OPENING = 0.6; // the share of the sound that has been heard when the figure opens
const MOST_DIGITS = 6, AT_RANDOM = 4;
const FRAME_MILLISECONDS = (1000 * HOP) / RATE;
const ROW = 100; // the height of the probabilities in a picture

function makeSpeech(stage, { recordings, scale, opening, mean, spread }, weights) {
  const networks = [["one", say("one direction")], ["both", say("both directions")]];
  const panels = networks.map(([name, words]) => makeSpikes(new FrameReader(weights, name), words));
  const known = recordings.map(({ digit, frames }) => ({ digit, frames: framesOf(frames, scale) }));
  const voice = makeVoice({ mean, spread }), toListen = canSound() ? say("Listen") : say("Play");
  const sheet = makeSound(stopAt);
  const random = uniform(0);
  let said = [], frames = [], at = 0, first = 0, playing = null; // `first` is where playing begins

  /** One of the recordings of a digit, another one than `last` where there is one. */
  function voiceOf(digit, last = null) {
    const all = known.filter((one) => one.digit === digit && one !== last);
    if (!all.length) return last;
    return all[Math.floor(random() * all.length)];
  }

  function join(recordings) {
    pause();
    said = recordings;
    frames = said.flatMap((one) => one.frames);
    panels.forEach((panel) => panel.hear(frames));
    sheet.show(said);
    slide.querySelector("input").max = frames.length;
    remove.disabled = said.length === 1;
    digits.forEach((key) => (key.disabled = said.length === MOST_DIGITS));
    go(Math.round(OPENING * frames.length));
    first = 0;
  }

  /** Show what is known after `t` frames. */
  function go(t) {
    at = t;
    slide.set(t);
    sheet.read(t / frames.length);
    const [one, both] = panels.map((panel) => panel.show(t) || "–");
    status.textContent = say("After {t} of {T} frames: in one direction {one}, in both directions {both}.",
      { t, T: frames.length, one, both });
  }

  /** The reader has chosen a frame: what is played next begins there. */
  function stopAt(t) {
    pause();
    go(t);
    first = t;
  }

  /** Show the frame that is heard, as long as there are more; a slow computer leaves some out. */
  function play() {
    if (playing) return stopAt(at);
    if (first === frames.length) first = 0;
    const begun = performance.now() - first * FRAME_MILLISECONDS;
    voice.play(frames, first);
    listen.textContent = say("Pause");
    go(first + 1);
    playing = setInterval(() => {
      go(Math.min(Math.floor((performance.now() - begun) / FRAME_MILLISECONDS) + 1, frames.length));
      if (at < frames.length) return;
      pause();
      first = 0;
    }, FRAME_MILLISECONDS);
  }

  function pause() {
    clearInterval(playing);
    if (playing) voice.stop();
    playing = null;
    listen.textContent = toListen;
  }

  const listen = button("", play, { class: "primary play" });
  const another = button(say("Other digits"), () =>
    join(Array.from({ length: AT_RANDOM }, () => voiceOf(Math.floor(10 * random())))));
  const one = button(say("One frame"), () => stopAt(at === frames.length ? 1 : at + 1));
  const slide = slider(say("Frames heard"), { min: 1, max: 999, step: 1, value: 999 }, stopAt);
  const digits = Array.from({ length: 10 }, (_, digit) =>
    button(String(digit), () => join([...said, voiceOf(digit)]), { "aria-label": say("Say {digit}", { digit }) }));
  const remove = button(say("Take the last away"), () => join(said.slice(0, -1)));
  const voices = button(say("Other recordings"), () => join(said.map((old) => voiceOf(old.digit, old))));
  const status = statusLine();
  status.setAttribute("aria-live", "off"); // while it plays it changes too often to be read aloud
  const rebuilt = canSound() ? [element("p", { class: "labelled" },
    say("You hear a whisper, rebuilt from the 13 numbers of each frame. The pitch of the voice is lost: it is not in the numbers."))] : [];

  stage.append(
    toTry(say("Drag over the sound, or listen: when does each network know a digit?")),
    sheet.node, ...panels.map((panel) => panel.node), status,
    element("div", { class: "controls line listening" }, slide, listen, another), ...rebuilt,
    more(
      element("div", { class: "controls" }, one, remove, voices),
      element("div", { class: "controls keys", role: "group", "aria-label": say("Digits to say") }, ...digits)));
  join([...opening].map((sign) => known.find(({ digit }) => digit === Number(sign))));
}

/** Frames of 13 numbers, from whole numbers in 8 bits. */
function framesOf(base64, scale) {
  const all = new Float64Array(new Int8Array(bytes(base64)));
  for (let k = 0; k < all.length; k++) all[k] /= scale;
  return rowsOf(all, COEFFICIENTS);
}

/* ------------------------------------------------------------------ what one network hears */

/** The probability of the likeliest digit at each frame, under the sound. */
function makeSpikes(network, words) {
  const spikes = drawing("g");
  const svg = drawing("svg", { class: "spikes", preserveAspectRatio: "none", "aria-hidden": "true" }, spikes);
  const above = element("div", { class: "heard", "aria-hidden": "true" });
  const node = element("div", { class: "network" },
    element("p", { class: "labelled" }, words), above, svg);
  let frames = [], known = new Map();

  function hear(all) {
    [frames, known] = [all, new Map()];
    svg.setAttribute("viewBox", `0 0 ${frames.length} ${ROW}`);
  }

  /** What it says of the frames when it has heard t of them. A network that reads in both
      directions may take back what it said. */
  function after(t) {
    if (!known.has(t)) known.set(t, network.read(frames.slice(0, t)));
    return known.get(t);
  }

  /** Draw what is known after t frames, and return the digits. */
  function show(t) {
    const rows = after(t), signs = likeliest(rows);
    const best = rows.map((p) => Math.max(...p.slice(BLANK + 1)));
    spikes.replaceChildren(...best.flatMap((p, x) => (p < 0.01 ? [] : [
      drawing("rect", { x, width: 1, y: ROW * (1 - p), height: ROW * p, class: signs[x] ? "sure" : "" })])));
    above.replaceChildren(...runs(signs).map(({ sign, middle }) =>
      element("span", { style: `left: ${(100 * middle) / frames.length}%` }, String(sign - 1))));
    return collapsed(signs).join("");
  }

  return { node, hear, show };
}

/** The runs of one sign, without blanks, and where the middle of each lies. */
function runs(signs) {
  const found = [];
  signs.forEach((sign, t) => {
    if (sign === BLANK) return;
    if (sign !== signs[t - 1]) found.push({ sign, first: t });
    found.at(-1).middle = (found.at(-1).first + t + 1) / 2;
  });
  return found;
}

/* ------------------------------------------------------------------ the sound */

const COEFFICIENTS = 13;
const DARKEST = 2.5; // standard deviations from the mean

/** The frames as columns, a row for each coefficient; what was said stands above. */
function makeSound(choose) {
  const canvas = element("canvas", { class: "ink", height: COEFFICIENTS });
  const above = element("div", { class: "said", "aria-hidden": "true" });
  const sheet = element("div", { class: "sheet sound" }, canvas, element("div", { class: "unread" }));
  let frames = 0;
  const at = ({ clientX }) => {
    const { left, width } = sheet.getBoundingClientRect();
    choose(Math.min(Math.max(Math.ceil((frames * (clientX - left)) / width), 1), frames));
  };
  sheet.addEventListener("pointerdown", (event) => {
    sheet.setPointerCapture(event.pointerId);
    at(event);
  });
  sheet.addEventListener("pointermove", (event) => event.buttons && at(event));

  function show(said) {
    const rows = said.flatMap((one) => one.frames);
    frames = rows.length;
    canvas.width = frames;
    const image = new ImageData(frames, COEFFICIENTS);
    rows.forEach((row, t) => row.forEach((value, k) => {
      const share = Math.min(Math.max((value + DARKEST) / (2 * DARKEST), 0), 1);
      image.data[4 * (frames * (COEFFICIENTS - 1 - k) + t) + 3] = 255 * share; // the first row at the bottom
    }));
    canvas.getContext("2d").putImageData(image, 0, 0);
    above.replaceChildren(...said.map(({ digit, frames: own }) =>
      element("span", { style: `flex: ${own.length}` }, String(digit))));
  }

  const read = (share) => sheet.style.setProperty("--heard", share);
  const node = element("div", {}, element("p", { class: "labelled" }, say("the sound, and what was said")), above, sheet);
  return { node, show, read };
}

demos("speech", makeSpeech);
