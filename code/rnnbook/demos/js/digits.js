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

/** The sheet: one square in which one draws, and in which stands what the network reads. The ink
    of the pen lies over the 28 × 28 pixels that are made of it; one of the two is to be seen.
    `begun` is called when a stroke begins, `drawn` some time after the last one has ended. */
function makeSheet(begun, drawn) {
  const pad = element("canvas", { width: PAD, height: PAD, class: "pad ink", role: "img", "aria-label": say("Draw a digit here with mouse, finger or pen; with the keyboard, take a test image") });
  const seen = element("canvas", { width: SIDE, height: SIDE, class: "seen ink", role: "img", "aria-label": say("the image as the network sees it, with the row that it reads") });
  const invitation = element("span", { class: "invitation", "aria-hidden": "true" }, say("Draw here"));
  const node = element("div", { class: "sheet" }, seen, element("div", { class: "unread" }), invitation, pad);
  const pen = pad.getContext("2d", { willReadFrequently: true });
  let pressed = false, waiting = null;
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) * PAD) / box.width, ((event.clientY - box.top) * PAD) / box.height];
  };
  const stopWaiting = () => clearTimeout(waiting);
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun();
    stopWaiting();
    node.dataset.shows = "pen";
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
      if (pressed) waiting = setTimeout(() => drawn(ink()), BETWEEN_STROKES);
      pressed = false;
    });
  }

  function ink() {
    const data = pen.getImageData(0, 0, PAD, PAD).data; // ink is black with some opacity
    return Float32Array.from({ length: PAD * PAD }, (_, k) => data[4 * k + 3] / 255);
  }

  function wipe() {
    stopWaiting();
    pen.clearRect(0, 0, PAD, PAD);
  }

  /** Show an image, of which some rows are read. */
  function show(image, row) {
    node.dataset.shows = isBlank(image) ? "nothing" : "image";
    paint(seen, image);
    node.style.setProperty("--row", row);
  }

  return { node, wipe, show };
}

/** The ten probabilities as bars. */
function makeBars() {
  const bars = Array.from({ length: 10 }, (_, k) => element("li", {}, element("span", { class: "digit" }, String(k)),
    element("span", { class: "track" }), element("span", { class: "value" })));
  const node = element("ol", { class: "bars", "aria-label": say("probabilities") }, ...bars);
  const show = (p, best) => bars.forEach((bar, k) => {
    bar.style.setProperty("--share", p[k]);
    bar.lastChild.textContent = percent(p[k]);
    bar.classList.toggle("best", k === best);
  });
  return { node, show };
}

/** A button with a small picture for each test image. */
function makeExamples(images, labels, take) {
  const keys = images.map((one, k) => {
    const picture = element("canvas", { width: SIDE, height: SIDE, class: "ink", "aria-hidden": "true" });
    paint(picture, one);
    const key = button("", () => take(one, labels[k]), { "aria-label": say("test image {number}, a {label}", { number: k + 1, label: labels[k] }) });
    key.append(picture);
    return key;
  });
  return element("div", { class: "examples", role: "group", "aria-label": say("Test images") }, ...keys);
}

function makeDigits(stage, { examples, labels }, weights) {
  const layer = new LSTM(weights.W_x, weights.W_h, weights.b);
  const images = examples.map((code) => {
    const pixels = new Uint8Array(bytes(code));
    return Array.from({ length: SIDE }, (_, r) => Float32Array.from(pixels.subarray(r * SIDE, (r + 1) * SIDE), (v) => v / 255));
  });
  let image = images[0], label = labels[0], steps = [], row = SIDE, playing = null;

  const sheet = makeSheet(() => {
    pause();
    tell(say("Drawing …"));
  }, (ink) => {
    const found = prepared(ink);
    if (found) read(found, null);
    else tell(say("The pad is empty: draw a digit."));
  });
  const play = button("", () => (playing ? pause() : run()), { class: "primary play" });
  const rows = slider(say("Rows read"), { min: 0, max: SIDE, step: 1, value: SIDE }, (value) => {
    pause();
    show(value);
  });
  const clear = button(say("Clear"), () => {
    sheet.wipe();
    pause();
    take(blank(), null);
    show(0);
    tell(say("Draw a digit, or take one of the test images."));
  });
  const choices = makeExamples(images, labels, (one, itsLabel) => {
    sheet.wipe();
    read(one, itsLabel);
  });
  const bars = makeBars(), status = statusLine(), summary = statusLine();
  status.setAttribute("aria-live", "off"); // while it plays it changes too often to be read aloud
  summary.classList.add("hidden-words");
  const tell = (words) => (status.textContent = words);
  const strip = (words) => element("canvas", { width: layer.hiddenSize, height: 1, class: "strip", role: "img", "aria-label": words });
  const hidden = strip(say("hidden state")), forget = strip(say("forget gate"));

  function take(one, itsLabel) {
    [image, label] = [one, itsLabel];
    steps = readRows(layer, weights.head, weights.head_b, image);
  }

  function read(one, itsLabel) {
    take(one, itsLabel);
    row = 0;
    if (calm.matches) show(SIDE);
    else run();
  }

  function run() {
    pause();
    if (isBlank(image)) return tell(say("The pad is empty: draw a digit."));
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
    rows.set(row);
    sheet.show(image, row);
    const step = steps[row - 1], p = step?.p ?? Array(10).fill(0.1);
    const best = p.indexOf(Math.max(...p)), sure = percent(p[best]);
    bars.show(p, step ? best : null);
    colours(hidden, step ? step.h : zeros(layer.hiddenSize), -1);
    colours(forget, step ? step.f : zeros(layer.hiddenSize), 0);
    const known = row === 1 ? say("After 1 row: {best}, with {sure}.", { best, sure })
      : say("After {row} rows: {best}, with {sure}.", { row, best, sure });
    const truth = label === null ? [] : [say("Its label says {label}.", { label })];
    tell(row === 0 ? say("Nothing read yet.") : [known, ...truth].join(" "));
  }

  const labelled = (words, ...nodes) => element("div", { class: "labelled" }, element("span", {}, words), ...nodes);
  stage.append(
    toTry(say("Draw a 7, and watch after which row it is sure. Then add a bar through it.")),
    element("div", { class: "digit-columns" }, sheet.node,
      element("div", { class: "known" }, status, bars.node)),
    element("div", { class: "controls line" }, play, rows, clear), summary,
    labelled(say("test images"), choices),
    element("div", { class: "strips" }, labelled(say("hidden state h"), hidden), labelled(say("forget gate f"), forget)));
  take(image, label);
  pause();
  show(SIDE);
}

const blank = () => Array.from({ length: SIDE }, () => new Float32Array(SIDE));

const isBlank = (image) => image.every((row) => row.every((value) => value === 0));

const percent = (p) => (p > 0.995 && p < 1 ? "> 99 %" : `${Math.round(100 * p)} %`);

/** Draw 28 × 28 pixels: black ink on no ground. The theme turns it white where the page is dark. */
function paint(canvas, image) {
  const context = canvas.getContext("2d"), data = context.createImageData(SIDE, SIDE);
  image.forEach((row, r) => row.forEach((ink, c) => data.data.set([0, 0, 0, 255 * ink], 4 * (r * SIDE + c))));
  context.putImageData(data, 0, 0);
}

/** A strip of colours: orange for the lowest value, none in between, blue for 1. */
function colours(canvas, values, low) {
  const context = canvas.getContext("2d"), data = context.createImageData(values.length, 1);
  values.forEach((value, k) => {
    const share = (2 * (value - low)) / (1 - low) - 1; // from -1 to 1
    const color = share < 0 ? [224, 146, 0] : [30, 130, 200];
    data.data.set([...color, 255 * Math.abs(share)], 4 * k);
  });
  context.putImageData(data, 0, 0);
}

demos("digits", makeDigits);
