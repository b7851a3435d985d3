/* The pen of the chapter writes kanji, alone or after the reader's first strokes. */

const MOVEMENT_MILLISECONDS = 45;
const MOST_MOVEMENTS = 200;
const TOLERANCE = 1.2; // of the reader's strokes, as in the training
const TWENTY = 20;

/** A pen in a square: `strokes` are those that were `given` and what it has written after them. */
function makeWriter(pen, first, random) {
  const strokes = [], given = [];
  let known = pen.start(), count = 0;
  const self = { strokes, given, done: false, take, step, known: () => known, hasWritten: () => count > 0 };
  first.forEach(take);

  /** Follow a stroke that is given. */
  function take(stroke) {
    for (const movement of movementsOf(stroke, known.place)) known = pen.follow(known, movement);
    given.push(stroke);
    strokes.push([...stroke]); // a copy: the pen may go on with the last one
  }

  /** One movement of the pen. Returns whether it was the last. */
  function step(temperature) {
    const movement = pen.next(known, temperature, random);
    self.done = movement[2] === END || ++count === MOST_MOVEMENTS;
    if (movement[2] !== END) {
      known = pen.follow(known, movement);
      if (movement[2] === LIFT || !strokes.length) strokes.push([]);
      strokes.at(-1).push(inSquare(known.place));
    }
    return self.done;
  }

  return self;
}

function makeKanji(stage, { beginnings, temperature: opening }, weights) {
  const pen = new Pen(weights);
  let seed = 0, writer, playing = null, stopSheet = null;
  let temperature = opening;

  const sheet = makeSquare({
    begun: () => {
      pause();
      if (writer.hasWritten()) begin([]); // what the pen has written makes room
    },
    drawn: (points) => {
      writer.take(thinned(points, TOLERANCE));
      show();
      tell(say("Draw another stroke, or let the pen go on."));
    },
  });
  const write = button("", () => (playing ? pause() : play()), { class: "primary play" });
  const one = button(say("One movement"), () => {
    pause();
    if (writer.done) beginAgain();
    step();
  });
  const again = button(say("Another one"), () => {
    beginAgain();
    play();
  });
  const clear = button(say("Clear"), () => {
    begin([]);
    tell(say("Draw the first strokes, or let the pen begin."));
  });
  const heat = slider(say("Temperature"), { min: 0.05, max: 1.5, step: 0.05, value: opening, show: (v) => v.toFixed(2) },
    (value) => (temperature = value));
  const parts = Object.entries(beginnings).map(([sign, itsStrokes]) => {
    const key = button("", () => {
      begin(itsStrokes);
      play();
    }, { "aria-label": say("Begin with {sign}", { sign }) });
    key.append(picture(itsStrokes, around(itsStrokes.flat())));
    return key;
  });
  const status = statusLine();
  status.setAttribute("aria-live", "off"); // while it writes it changes too often to be read aloud
  const tell = (words) => (status.textContent = words);
  const small = element("div", { class: "twenty", role: "group", "aria-label": say("Twenty at once") });
  const twenty = button(say("Twenty at once"), fill);

  const another = (first) => makeWriter(pen, first, uniform(seed++));
  const beginAgain = () => begin(writer.given);
  const show = () => sheet.show(writer.strokes, writer.given.length, writer.done ? null : writer.known());

  /** An empty square, with strokes that are given. */
  function begin(first) {
    pause();
    writer = another(first);
    show();
  }

  function step() {
    writer.step(temperature);
    show();
    const n = writer.strokes.length;
    tell(writer.done ? say("{strokes} strokes.", { strokes: n }) : say("Stroke {n}", { n }));
  }

  function play() {
    if (writer.done) beginAgain();
    if (calm.matches) {
      while (!writer.done) step();
      return;
    }
    write.textContent = say("Pause");
    playing = setInterval(() => {
      step();
      if (writer.done) pause();
    }, MOVEMENT_MILLISECONDS);
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    write.textContent = say("Write");
  }

  /** Twenty characters that begin like this one, a movement at a time. */
  function fill() {
    stopSheet?.();
    small.replaceChildren();
    const first = [...writer.given];
    let next = another(first);
    stopSheet = inPieces(() => {
      if (!next.step(temperature)) return false;
      small.append(picture(next.strokes, `0 0 ${SQUARE} ${SQUARE}`));
      next = another(first);
      return small.childElementCount === TWENTY;
    }, (error) => tell(error.message));
  }

  stage.append(
    toTry(say("Draw the first strokes of a kanji, in their order, and let the pen go on.")),
    element("div", { class: "kanji-columns" }, sheet.node, small), status,
    element("div", { class: "controls line" }, write, heat),
    element("div", { class: "controls" }, one, again, twenty, clear),
    element("div", { class: "controls keys parts", role: "group", "aria-label": say("Begin with") }, ...parts));
  begin([]);
  fill();
  play();
}

/* ------------------------------------------------------------------ the square */

const line = (stroke, kind = "") => drawing("polyline", { points: stroke.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" "), class: kind });

/** A small picture of some strokes; `box` says which part of the square is seen. */
const picture = (strokes, box) =>
  drawing("svg", { viewBox: box, class: "strokes", "aria-hidden": "true" }, ...strokes.map((stroke) => line(stroke)));

/** The square around some points. */
function around(points) {
  const [xs, ys] = [0, 1].map((k) => points.map((point) => point[k]));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const side = Math.max(right - left, bottom - top) + 8;
  return `${(left + right - side) / 2} ${(top + bottom - side) / 2} ${side} ${side}`;
}

/** The square in which one writes. `begun` is called when the reader begins a stroke, `drawn` with
    its points when it has ended. */
function makeSquare({ begun, drawn }) {
  const expected = drawing("g", { class: "expected-next" }), written = drawing("g");
  const node = drawing("svg", {
    viewBox: `0 0 ${SQUARE} ${SQUARE}`, class: "square", role: "img",
    "aria-label": say("Draw strokes here with mouse, finger or pen; with the keyboard, begin with a part"),
  }, drawing("path", { class: "cross", d: `M${CENTRE} 0V${SQUARE}M0 ${CENTRE}H${SQUARE}` }), expected, written);
  let points = null;
  const place = ({ clientX, clientY }) => {
    const { left, top, width } = node.getBoundingClientRect();
    return [((clientX - left) * SQUARE) / width, ((clientY - top) * SQUARE) / width];
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun();
    node.setPointerCapture(event.pointerId);
    points = [place(event)];
    written.append(line(points, "own"));
  });
  node.addEventListener("pointermove", (event) => {
    if (!points) return;
    points.push(...(event.getCoalescedEvents?.() ?? [event]).map(place));
    written.lastChild.replaceWith(line(points, "own"));
  });
  for (const name of ["pointerup", "pointercancel"]) {
    node.addEventListener(name, () => {
      const stroke = points;
      points = null;
      if (stroke?.length > 1) drawn(stroke);
      else if (stroke) written.lastChild.remove(); // no stroke, only a touch
    });
  }

  /** Show strokes, of which some were given, and what the pen expects next. */
  function show(strokes, given, known) {
    written.replaceChildren(...strokes.map((stroke, k) => line(stroke.length > 1 ? stroke : [...stroke, ...stroke], k < given ? "own" : "")));
    expected.replaceChildren(...(known ? known.expected.gaussians.map((one) => ellipse(one, known.place)) : []));
  }

  return { node, show };
}

/** The ellipse of one standard deviation of a Gaussian, the darker the more it weighs. */
function ellipse({ weight, mean, spread, slant }, place) {
  const [cx, cy] = inSquare([place[0] + mean[0], place[1] + mean[1]]);
  const [a, b, c] = [spread[0] ** 2, slant * spread[0] * spread[1], spread[1] ** 2]; // the covariance
  const middle = (a + c) / 2, half = Math.hypot((a - c) / 2, b);
  const angle = (Math.atan2(2 * b, a - c) / 2) * (180 / Math.PI);
  return drawing("ellipse", {
    cx, cy, rx: SCALE * Math.sqrt(middle + half), ry: SCALE * Math.sqrt(Math.max(middle - half, 1e-9)),
    transform: `rotate(${angle} ${cx} ${cy})`, style: `--weight: ${weight}` });
}

demos("kanji", makeKanji);
