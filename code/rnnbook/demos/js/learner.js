/* A small network that learns to say which sign came first. */

const BATCH = 32;

/** `lag` + 1 signs, and which of the two the first one was. */
function example(lag, random) {
  const xs = Array.from({ length: lag + 1 }, () => [random() < 0.5 ? -1 : 1]);
  return { xs, y: xs[0][0] > 0 ? 1 : 0 };
}

/** A recurrent layer with a linear layer after its last step, and Adam. */
class Learner {
  /** A new one, with random weights as PyTorch draws them. */
  constructor(kind, { units, forget_bias, lr }, seed) {
    const random = uniform(seed), bound = 1 / Math.sqrt(units);
    const draw = () => bound * (2 * random() - 1), rows = kind === "lstm" ? 4 * units : units;
    const parts = [matrix(rows, 1, draw), matrix(rows, units, draw), zeros(rows).map(draw)];
    this.layer = kind === "lstm" ? new LSTM(...parts) : new RNN(...parts);
    if (kind === "lstm") this.layer.b.fill(forget_bias, units, 2 * units);
    this.lr = lr;
    this.head = { W: matrix(2, units, draw), b: zeros(2) };
    this.headGradient = { W: matrix(2, units), b: zeros(2) };
    const { W_x, W_h, b, gradient } = this.layer;
    this.parameters = [W_x.all, W_h.all, b, this.head.W.all, this.head.b];
    this.gradients = [gradient.W_x.all, gradient.W_h.all, gradient.b, this.headGradient.W.all, this.headGradient.b];
    this.moments = this.parameters.map((p) => [zeros(p.length), zeros(p.length)]);
    this.steps = 0;
  }

  /** Add the gradient of the loss of one example, cross-entropy, divided by `share`. */
  addGradient({ xs, y }, share = 1) {
    const states = this.layer.forward(xs), { h } = states[states.length - 1];
    const p = softmax(affine(this.head.W, h, this.head.b));
    const dh = zeros(h.length);
    for (const k of [0, 1]) {
      const d = (p[k] - (k === y ? 1 : 0)) / share;
      for (let j = 0; j < h.length; j++) {
        this.headGradient.W[k][j] += d * h[j];
        dh[j] += d * this.head.W[k][j];
      }
      this.headGradient.b[k] += d;
    }
    this.layer.backward(states, dh);
    return { loss: -Math.log(Math.max(p[y], 1e-12)), right: p[y] > 0.5 };
  }

  /** One step of training on a batch. Returns its loss, its accuracy and the gradient's norm. */
  learn(batch, clip) {
    for (const gradient of this.gradients) gradient.fill(0);
    const results = batch.map((one) => this.addGradient(one, batch.length));
    const size = Math.sqrt(this.gradients.reduce((sum, g) => sum + norm(g) ** 2, 0));
    this.adam(clip && size > 1 ? 1 / size : 1);
    const mean = (key) => results.reduce((sum, result) => sum + Number(result[key]), 0) / batch.length;
    return { loss: mean("loss"), accuracy: mean("right"), norm: size };
  }

  /** Adam, with its usual settings; the gradient is multiplied by `factor` before. */
  adam(factor) {
    this.steps++;
    const [mend, mendSquare] = [1 - 0.9 ** this.steps, 1 - 0.999 ** this.steps];
    this.parameters.forEach((p, n) => {
      const [first, second] = this.moments[n];
      for (let k = 0; k < p.length; k++) {
        const g = factor * this.gradients[n][k];
        first[k] = 0.9 * first[k] + 0.1 * g;
        second[k] = 0.999 * second[k] + 0.001 * g * g;
        p[k] -= (this.lr * (first[k] / mend)) / (Math.sqrt(second[k] / mendSquare) + 1e-8);
      }
    });
  }
}
