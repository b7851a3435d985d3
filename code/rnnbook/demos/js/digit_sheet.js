/* The sheet on which a digit is drawn, and the image of 28 × 28 pixels that is made of it. */

const SIDE = 28, BOX = 20; // of an image of MNIST, and of the square that its digit fits into
const PAD = 280; // pixels of the canvas on which one draws
const BETWEEN_STROKES = 600;

/* ------------------------------------------------------------------ preparing a drawing */

/** Scale and centre ink (PAD × PAD numbers from 0 to 1) as MNIST's digits were: the longer side
    20 pixels, the centre of mass in the middle of 28 × 28. Returns null where there is no ink.
    `rnnbook.data.digit_image` does the same for picture files. */
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

/* ------------------------------------------------------------------ the sheet */

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

const blank = () => Array.from({ length: SIDE }, () => new Float32Array(SIDE));

const isBlank = (image) => image.every((row) => row.every((value) => value === 0));

/** Draw 28 × 28 pixels: black ink on no ground. The theme turns it white where the page is dark. */
function paint(canvas, image) {
  const context = canvas.getContext("2d"), data = context.createImageData(SIDE, SIDE);
  image.forEach((row, r) => row.forEach((ink, c) => data.data.set([0, 0, 0, 255 * ink], 4 * (r * SIDE + c))));
  context.putImageData(data, 0, 0);
}
