/* The pen of the chapter writes kanji, alone or after the reader's first strokes. */

const MOVEMENT_MILLISECONDS = 45;
const MOST_MOVEMENTS = 200;
const TOLERANCE = 1.2; // of the reader's strokes, as in the training
const TWENTY = 20;

function makeKanji(stage, { beginnings, temperature: opening }, weights) {
  const pen = new Pen(weights);
  let seed = 0, random, known, strokes, given, count, done, playing = null, stopSheet = null;
  let temperature = opening;

  const sheet = makeSquare({
    begun: () => {
      pause();
      if (done || strokes.length > given) begin([]); // what the pen has written makes room
    },
    drawn: (points) => {
      take(thinned(points, TOLERANCE));
      given = strokes.length;
      show();
      tell(say("Draw another stroke, or let the pen go on."));
    },
  });
  const write = button("", () => (playing ? pause() : play()), { class: "primary play" });
  const one = button(say("One movement"), () => {
    pause();
    if (done) begin(strokes.slice(0, given));
    step();
  });
  const again = button(say("Another one"), () => {
    begin(strokes.slice(0, given));
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
  const tell = (words) => (status.textContent = words);
  const small = element("div", { class: "twenty", role: "group", "aria-label": say("Twenty at once") });
  const twenty = button(say("Twenty at once"), fill);

  /** An empty square, with strokes that were given. */
  function begin(first) {
    pause();
    random = uniform(seed++);
    [known, strokes, count, done] = [pen.start(), [], 0, false];
    first.forEach(take);
    given = strokes.length;
    show();
  }

  /** Follow a stroke that was given. */
  function take(stroke) {
    for (const movement of movementsOf(stroke, known.place)) known = pen.follow(known, movement);
    strokes.push(stroke);
  }

  /** One movement of the pen. */
  function step() {
    const movement = pen.next(known, temperature, random);
    done = movement[2] === END || ++count === MOST_MOVEMENTS;
    if (movement[2] !== END) {
      known = pen.follow(known, movement);
      if (movement[2] === LIFT || !strokes.length) strokes.push([]);
      strokes.at(-1).push(inSquare(known.place));
    }
    show();
    tell(done ? say("{strokes} strokes.", { strokes: strokes.length }) : say("Stroke {n}", { n: strokes.length }));
  }

  function play() {
    if (done) begin(strokes.slice(0, given));
    if (calm.matches) {
      while (!done) step();
      return;
    }
    write.textContent = say("Pause");
    playing = setInterval(() => {
      step();
      if (done) pause();
    }, MOVEMENT_MILLISECONDS);
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    write.textContent = say("Write");
  }

  const show = () => sheet.show(strokes, given, done ? null : known);

  /** Twenty characters that begin like this one, a movement at a time. */
  function fill() {
    stopSheet?.();
    small.replaceChildren();
    const first = strokes.slice(0, given);
    let cell = null;
    stopSheet = inPieces(() => {
      cell ??= makeCell(first);
      if (!cell.step()) return false;
      small.append(cell.node());
      cell = null;
      return small.childElementCount === TWENTY;
    }, (error) => tell(error.message));
  }

  function makeCell(first) {
    const itsRandom = uniform(seed++), own = [...first];
    let at = pen.start(), steps = 0;
    first.forEach((stroke) => movementsOf(stroke, at.place).forEach((m) => (at = pen.follow(at, m))));

    /** One movement more; true after the last one. */
    function step() {
      const movement = pen.next(at, temperature, itsRandom);
      if (movement[2] === END || ++steps === MOST_MOVEMENTS) return true;
      at = pen.follow(at, movement);
      if (movement[2] === LIFT || !own.length) own.push([]);
      own.at(-1).push(inSquare(at.place));
      return false;
    }

    return { step, node: () => picture(own, `0 0 ${SQUARE} ${SQUARE}`) };
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
