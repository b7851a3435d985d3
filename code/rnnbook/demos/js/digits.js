/* The reader of digits: the LSTM of the chapter reads a drawing row by row. */

const SIDE = 28, BOX = 20; // of an image of MNIST, and of the square that its digit fits into
const PAD = 280; // pixels of the canvas on which one draws
const ROW_MILLISECONDS = 150, BETWEEN_STROKES = 600;

/* ------------------------------------------------------------------ preparing a drawing */

/** Scale and centre ink (PAD × PAD numbers from 0 to 1) as MNIST's digits were: the longer side
    20 pixels, the centre of mass in the middle of 28 × 28. Returns null where there is no ink.
    `rnnbook.images` does the same for picture files. */
function prepared(ink, size = PAD) {
  const box = bounds(ink, size);
  if (!box) return null;
  const { top, left, height, width } = box, longest = Math.max(height, width);
  const rows = Math.max(1, Math.round((BOX * height) / longest));
  const columns = Math.max(1, Math.round((BOX * width) / longest));
  const small = Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) =>
    mean(ink, size, top + (r * height) / rows, top + ((r + 1) * height) / rows,
      left + (c * width) / columns, left + ((c + 1) * width) / columns)));
  const most = Math.max(...small.flat());
  return centred(small.map((row) => row.map((value) => value / most)));
}

/** The smallest rectangle that holds the ink. */
function bounds(ink, size) {
  let top = size, bottom = -1, left = size, right = -1;
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      if (ink[r * size + c] <= 0.25) continue;
      [top, bottom] = [Math.min(top, r), Math.max(bottom, r)];
      [left, right] = [Math.min(left, c), Math.max(right, c)];
    }
  }
  return bottom < 0 ? null : { top, left, height: bottom - top + 1, width: right - left + 1 };
}

/** The mean of a rectangle whose sides may cut through pixels. */
function mean(ink, size, top, bottom, left, right) {
  let sum = 0;
  for (let r = Math.floor(top); r < bottom; r++) {
    const high = Math.min(r + 1, bottom) - Math.max(r, top);
    for (let c = Math.floor(left); c < right; c++) {
      const wide = Math.min(c + 1, right) - Math.max(c, left);
      sum += high * wide * ink[r * size + c];
    }
  }
  return sum / ((bottom - top) * (right - left));
}

/** 28 rows of 28 pixels, with the centre of mass in the middle, as far as the border allows. */
function centred(digit) {
  const rows = digit.map((row) => row.reduce((a, b) => a + b));
  const columns = digit[0].map((_, c) => digit.reduce((sum, row) => sum + row[c], 0));
  const start = (sums) => {
    const middle = sums.reduce((sum, s, k) => sum + s * k, 0) / sums.reduce((a, b) => a + b);
    return Math.min(Math.max(Math.round(SIDE / 2 - middle), 0), SIDE - sums.length);
  };
  const [down, across] = [start(rows), start(columns)];
  const image = Array.from({ length: SIDE }, () => new Float32Array(SIDE));
  digit.forEach((row, r) => image[down + r].set(row, across));
  return image;
}

/* ------------------------------------------------------------------ reading */

/** What the network knows after each of the 28 rows: its gates, its state, its probabilities. */
function readRows(layer, head, head_b, image) {
  return layer.forward(image).map((step) => ({ ...step, p: softmax(affine(head, step.h, head_b)) }));
}

function makeDigits(stage, { examples, labels }, weights) {
  const layer = new LSTM(weights.W_x, weights.W_h, weights.b);
  const images = examples.map((code) => {
    const pixels = new Uint8Array(bytes(code));
    return Array.from({ length: SIDE }, (_, r) => Float32Array.from(pixels.subarray(r * SIDE, (r + 1) * SIDE), (v) => v / 255));
  });
  let image = images[0], label = labels[0], steps = [], row = SIDE, playing = null;

  /* The pad on which one draws. */
  const pad = element("canvas", { width: PAD, height: PAD, class: "pad", "aria-label": say("Draw a digit here with mouse, finger or pen; with the keyboard, take a test image"), role: "img" });
  const pen = pad.getContext("2d", { willReadFrequently: true });
  let pressed = false, waiting = null;
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) * PAD) / box.width, ((event.clientY - box.top) * PAD) / box.height];
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pause();
    say_(say("Drawing …"));
    clearTimeout(waiting);
    pad.setPointerCapture(event.pointerId);
    pressed = true;
    pen.lineWidth = 22;
    pen.lineCap = pen.lineJoin = "round";
    const [x, y] = place(event);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + 0.1, y); // a dot is a stroke, too
    pen.stroke();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pressed) return;
    for (const point of event.getCoalescedEvents?.() ?? [event]) pen.lineTo(...place(point));
    pen.stroke();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    pad.addEventListener(name, () => {
      if (pressed) waiting = setTimeout(readDrawing, BETWEEN_STROKES);
      pressed = false;
    });
  }

  function readDrawing() {
    const data = pen.getImageData(0, 0, PAD, PAD).data; // ink is black with some opacity
    const found = prepared(Float32Array.from({ length: PAD * PAD }, (_, k) => data[4 * k + 3] / 255));
    if (found) read(found, null);
    else say_(say("The pad is empty: draw a digit."));
  }

  const clear = button(say("Clear"), () => {
    pen.clearRect(0, 0, PAD, PAD);
    clearTimeout(waiting);
    pause();
    [image, label] = [blank(), null];
    steps = readRows(layer, weights.head, weights.head_b, image);
    show(0);
    say_(say("Draw a digit, or take one of the test images."));
  });
  const play = button("", () => (playing ? pause() : run()), { class: "primary" });
  const stepOn = button(say("One row"), () => {
    pause();
    show(Math.min(row + 1, SIDE));
  });
  const rows = slider(say("Rows read"), { min: 0, max: SIDE, step: 1, value: SIDE }, (value) => {
    pause();
    show(value);
  });
  const choices = element("div", { class: "examples", role: "group", "aria-label": say("Test images") },
    ...images.map((one, k) => {
      const picture = element("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
      paint(picture, one);
      const key = button("", () => {
        pen.clearRect(0, 0, PAD, PAD);
        clearTimeout(waiting);
        read(one, labels[k]);
      }, { "aria-label": say("test image {number}, a {label}", { number: k + 1, label: labels[k] }) });
      key.append(picture);
      return key;
    }));
  const status = statusLine(), summary = statusLine();
  status.setAttribute("aria-live", "off"); // while it plays it changes too often to be read aloud
  summary.classList.add("hidden-words");
  const say_ = (words) => (status.textContent = words);

  /* What the network sees and knows. */
  const seen = element("canvas", { width: SIDE, height: SIDE, class: "seen", role: "img", "aria-label": say("the image as the network sees it, with the row that it reads") });
  const bars = Array.from({ length: 10 }, (_, k) => element("li", {}, element("span", {}, String(k)), element("span", { class: "value" })));
  const strip = (words) => element("canvas", { width: layer.hiddenSize, height: 1, class: "strip", role: "img", "aria-label": words });
  const hidden = strip(say("hidden state")), forget = strip(say("forget gate"));

  function read(one, itsLabel) {
    [image, label] = [one, itsLabel];
    steps = readRows(layer, weights.head, weights.head_b, image);
    row = 0;
    if (calm.matches) show(SIDE);
    else run();
  }

  function run() {
    pause();
    if (isBlank(image)) return say_(say("The pad is empty: draw a digit."));
    let next = row >= SIDE ? 0 : row;
    play.textContent = say("Pause");
    playing = setInterval(() => {
      show(next++);
      if (next > SIDE) {
        pause();
        summary.textContent = status.textContent;
      }
    }, ROW_MILLISECONDS);
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    play.textContent = say("Play");
  }

  /** Show what is known after some rows, from 0 to 28. */
  function show(count) {
    row = count;
    rows.input.value = row;
    rows.querySelector("output").textContent = row;
    paint(seen, image, row);
    const step = steps[row - 1], p = step?.p ?? Array(10).fill(0.1);
    bars.forEach((bar, k) => {
      bar.style.setProperty("--share", p[k]);
      bar.lastChild.textContent = percent(p[k]);
    });
    colours(hidden, step ? step.h : zeros(layer.hiddenSize), -1);
    colours(forget, step ? step.f : zeros(layer.hiddenSize), 0);
    const best = p.indexOf(Math.max(...p)), sure = percent(p[best]);
    const known = row === 1 ? say("After 1 row: {best}, with {sure}.", { best, sure })
      : say("After {row} rows: {best}, with {sure}.", { row, best, sure });
    const truth = label === null ? [] : [say("Its label says {label}.", { label })];
    say_(row === 0 ? say("Nothing read yet.") : [known, ...truth].join(" "));
  }

  const labelled = (words, node) => element("div", { class: "labelled" }, element("span", {}, words), node);
  stage.append(
    element("div", { class: "digit-columns" },
      element("div", {}, labelled(say("draw here"), pad), element("div", { class: "controls" }, clear)),
      element("div", {}, labelled(say("what it sees"), seen),
        element("div", { class: "controls" }, play, stepOn)),
      status,
      element("ol", { class: "bars", "aria-label": say("probabilities") }, ...bars)),
    element("div", { class: "controls" }, rows), summary,
    labelled(say("hidden state h"), hidden), labelled(say("forget gate f"), forget),
    labelled(say("test images"), choices));
  steps = readRows(layer, weights.head, weights.head_b, image);
  pause();
  show(SIDE);
}

const blank = () => Array.from({ length: SIDE }, () => new Float32Array(SIDE));

const isBlank = (image) => image.every((row) => row.every((value) => value === 0));

const percent = (p) => (p > 0.995 && p < 1 ? "> 99 %" : `${Math.round(100 * p)} %`);

/** Draw 28 × 28 pixels, dark ink on light paper, and the row that is being read. */
function paint(canvas, image, row = null) {
  const context = canvas.getContext("2d"), data = context.createImageData(SIDE, SIDE);
  for (let r = 0; r < SIDE; r++) {
    for (let c = 0; c < SIDE; c++) {
      const grey = 255 * (1 - image[r][c]), now = row !== null && r === row - 1;
      const unread = row !== null && r >= row ? 0.35 : 1;
      data.data.set([now ? grey * 0.7 : grey, grey, now ? Math.max(grey, 90) : grey, 255 * unread], 4 * (r * SIDE + c));
    }
  }
  context.putImageData(data, 0, 0);
}

/** A strip of colours: orange for the lowest value, white in between, blue for 1. */
function colours(canvas, values, low) {
  const context = canvas.getContext("2d"), data = context.createImageData(values.length, 1);
  values.forEach((value, k) => {
    const share = (value - low) / (1 - low); // from 0 to 1
    const [from, to, part] = share < 0.5 ? [[230, 159, 0], [255, 255, 255], 2 * share] : [[255, 255, 255], [0, 114, 178], 2 * share - 1];
    data.data.set([...from.map((a, n) => a + part * (to[n] - a)), 255], 4 * k);
  });
  context.putImageData(data, 0, 0);
}

demos("digits", makeDigits);
