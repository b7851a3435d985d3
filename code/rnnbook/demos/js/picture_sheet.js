/* The picture that is described, over it where the network looks, and squares that cover it. */

const PICTURE = 40, PLACES = 10; // pixels of a side, and places that the encoder sees
const COVER = 5; // pixels of a side of what covers
const WHITE = 255, DARKEST = 0.65; // of a place at which nobody looks

/** `begun` is called when the reader begins to cover something, `covered` when that has ended. */
function makePictureSheet({ begun, covered }) {
  const seen = element("canvas", { width: PICTURE, height: PICTURE, class: "seen", role: "img", "aria-label": say("the picture as the network sees it") });
  const shade = element("canvas", { width: PLACES, height: PLACES, class: "seen look", role: "img" });
  const cursor = element("div", { class: "cursor" });
  const pad = element("div", {
    class: "pad", tabindex: 0, role: "application", onkeydown: press,
    "aria-label": say("Drag over the picture to cover parts of it; with the keyboard, go with arrow keys and cover with the space bar"),
  }, cursor);
  const node = element("div", { class: "sheet picture" }, seen, shade, pad);
  const self = { node, pixels: null, set, look };
  let last = null, at = [PICTURE / 2, PICTURE / 2];

  const place = ({ clientX, clientY }) => {
    const { left, top, width } = pad.getBoundingClientRect();
    return [clientX - left, clientY - top].map((part) => (part * PICTURE) / width);
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun();
    pad.setPointerCapture(event.pointerId);
    last = place(event);
    cover(last);
  });
  pad.addEventListener("pointermove", (event) => {
    if (last) for (const point of event.getCoalescedEvents?.() ?? [event]) coverTo(place(point));
  });
  for (const name of ["pointerup", "pointercancel"]) {
    pad.addEventListener(name, () => {
      if (last) covered();
      last = null;
    });
  }

  /** Cover all that lies on the way, a pixel at a time. */
  function coverTo(point) {
    const way = point.map((to, k) => to - last[k]), steps = Math.ceil(Math.hypot(...way));
    for (let n = 1; n <= steps; n++) cover(last.map((from, k) => from + (way[k] * n) / steps));
    last = point;
  }

  /** A white square, as far as it lies in the picture. */
  function cover(point) {
    const [left, top] = point.map((middle) => Math.round(middle - COVER / 2));
    for (let row = Math.max(top, 0); row < Math.min(top + COVER, PICTURE); row++) {
      const [from, to] = [left, left + COVER].map((x) => Math.min(Math.max(x, 0), PICTURE));
      self.pixels.fill(WHITE, 3 * (row * PICTURE + from), 3 * (row * PICTURE + to));
    }
    paint(seen, self.pixels);
  }

  function press(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) go(at.map((middle, k) => Math.min(Math.max(middle + COVER * way[k], COVER / 2), PICTURE - COVER / 2)));
    else if (event.key === " ") {
      begun();
      cover(at);
      covered();
    } else return;
    event.preventDefault();
  }

  function go(point) {
    at = point;
    ["left", "top"].forEach((side, k) => (cursor.style[side] = `${(100 * (at[k] - COVER / 2)) / PICTURE}%`));
  }

  /** Show a picture, without anything that covers it. */
  function set(pixels) {
    self.pixels = Uint8Array.from(pixels);
    paint(seen, self.pixels);
  }

  /** Darken the places according to the weights with which they are looked at; null: none. */
  function look(weights) {
    const most = Math.max(...(weights ?? []));
    const image = new ImageData(PLACES, PLACES);
    weights?.forEach((weight, s) => (image.data[4 * s + 3] = WHITE * DARKEST * (1 - weight / most)));
    shade.getContext("2d").putImageData(image, 0, 0);
    const best = weights?.indexOf(most);
    shade.setAttribute("aria-label", weights
      ? say("It looks most at row {row}, column {column} of ten.", { row: Math.floor(best / PLACES) + 1, column: (best % PLACES) + 1 }) : "");
    shade.hidden = !weights;
  }

  go(at.map((middle) => middle + COVER / 2));
  return self;
}

/** Draw 40 × 40 pixels, each three numbers. */
function paint(canvas, pixels) {
  const image = new ImageData(PICTURE, PICTURE);
  for (let k = 0; k < PICTURE * PICTURE; k++) {
    image.data.set([...pixels.subarray(3 * k, 3 * k + 3), WHITE], 4 * k);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
