/* A pen that writes, after `rnnbook.data.kanji_strokes`, `rnnbook.layers.mixture` and `rnnbook.models.kanji`;
   tests hold them equal. A stroke is an array of points [x, y], in units of which the square has
   109; a movement is [right, down, kind], in units of SCALE. */

const SQUARE = 109, CENTRE = SQUARE / 2, SCALE = 15;
const DRAW = 0, LIFT = 1, END = 2; // what a movement is: drawn, in the air, or none any more
const NUMBERS = 6; // for each Gaussian
const NARROWEST = -5, WIDEST = 5, STRAIGHTEST = 0.99;

class Pen {
  /** `weights` are named as `rnnbook.demos.kanji.weights_of` does. */
  constructor({ W_x, W_h, b, head, head_b }) {
    [this.layer, this.head, this.head_b] = [new LSTM(W_x, W_h, b), head, head_b];
  }

  /** What is known before the first movement. */
  start() {
    const nothing = { state: this.layer.start(), place: [0, 0], begun: [0, 0] };
    return this.follow(nothing, [0, 0, END]);
  }

  /** What is known after another movement: where the pen is, where its stroke has begun, and
      what it expects next. Lengths are in units of SCALE, from the centre. */
  follow(known, [right, down, kind]) {
    const place = [known.place[0] + right, known.place[1] + down];
    const begun = kind === LIFT ? place : known.begun;
    const x = [right, down, kind === DRAW, kind === LIFT, kind === END, place[0] / 2, place[1] / 2,
      place[0] - begun[0], place[1] - begun[1]].map(Number);
    const state = this.layer.step(x, known.state);
    return { state, place, begun, expected: expectedOf(affine(this.head, state.h, this.head_b)) };
  }

  /** The movement that comes next, drawn by a source of numbers from 0 to 1. */
  next({ expected: { gaussians, logits } }, temperature, random) {
    const weights = softmax(gaussians.map(({ weight }) => Math.log(weight) / temperature));
    const { mean, spread, slant } = gaussians[drawnFrom(weights, random())];
    const [a, b] = [normal(random), normal(random)], root = Math.sqrt(temperature);
    const across = slant * a + Math.sqrt(1 - slant * slant) * b;
    const kind = drawnFrom(softmax(logits.map((z) => z / temperature)), random());
    return [mean[0] + root * spread[0] * a, mean[1] + root * spread[1] * across, kind];
  }
}

/** The Gaussians and the logits of the kinds in the numbers that the network puts out. */
function expectedOf(numbers) {
  const M = (numbers.length - 3) / NUMBERS;
  const [weight, right, down, wide, high, slant] = Array.from({ length: NUMBERS },
    (_, k) => numbers.subarray(k * M, (k + 1) * M));
  const spread = (s) => Math.exp(Math.min(Math.max(s, NARROWEST), WIDEST));
  const gaussians = Array.from(softmax(weight), (p, m) => ({
    weight: p, mean: [right[m], down[m]], spread: [spread(wide[m]), spread(high[m])],
    slant: STRAIGHTEST * Math.tanh(slant[m]) }));
  return { gaussians, logits: numbers.subarray(NUMBERS * M) };
}

/** Which of some probabilities a number u from 0 to 1 falls into. */
function drawnFrom(p, u) {
  const found = p.findIndex((share) => (u -= share) < 0);
  return found < 0 ? p.length - 1 : found;
}

/** A number from the normal distribution (Box and Muller, 1958). */
const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** The movements that write a stroke, from where the pen is. */
function movementsOf(stroke, place) {
  let [x, y] = place;
  return stroke.map(([toX, toY], i) => {
    const [nextX, nextY] = [(toX - CENTRE) / SCALE, (toY - CENTRE) / SCALE];
    const movement = [nextX - x, nextY - y, i ? DRAW : LIFT];
    [x, y] = [nextX, nextY];
    return movement;
  });
}

/** A place in the square, in its units. */
const inSquare = ([x, y]) => [CENTRE + SCALE * x, CENTRE + SCALE * y];

/** The points without those that lie within `tolerance` of the lines between the others. */
function thinned(points, tolerance) {
  const [a, b] = [points[0], points.at(-1)];
  const far = points.slice(1, -1).map((point) => distance(point, a, b));
  const most = Math.max(0, ...far);
  if (most <= tolerance) return [a, b];
  const k = far.indexOf(most) + 1;
  return [...thinned(points.slice(0, k + 1), tolerance).slice(0, -1), ...thinned(points.slice(k), tolerance)];
}

function distance([px, py], [ax, ay], [bx, by]) {
  const [x, y, dx, dy] = [px - ax, py - ay, bx - ax, by - ay], length = Math.hypot(dx, dy);
  return length ? Math.abs(dx * y - dy * x) / length : Math.hypot(x, y);
}
