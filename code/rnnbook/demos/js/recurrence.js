/* The recurrences of the book in JavaScript: one line for each line of the equations.

   A vector is an array of numbers; a matrix is an array of its rows, one row for each unit, as
   PyTorch keeps its weights. A test holds them equal to PyTorch's `nn.RNN` and `nn.LSTM`,
   gradients included. */

const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const zeros = (n) => new Float64Array(n);

/** A matrix whose numbers, row after row, are also one array: `matrix.all`. */
function matrix(rows, columns, make = () => 0) {
  const all = Float64Array.from({ length: rows * columns }, make);
  return rowsOf(all, columns);
}

function rowsOf(all, columns) {
  const rows = [];
  for (let start = 0; start < all.length; start += columns) {
    rows.push(all.subarray(start, start + columns));
  }
  rows.all = all;
  return rows;
}

/** W x + b, or, with a second matrix, W x + U h + b. Throws where the sizes do not fit. */
function affine(W, x, b, U = null, h = null) {
  fits(W, x, b);
  if (U) fits(U, h, b);
  const y = zeros(W.length);
  for (let j = 0; j < W.length; j++) {
    let sum = b[j] + dot(W[j], x);
    if (U) sum += dot(U[j], h);
    y[j] = sum;
  }
  return y;
}

function fits(W, x, b) {
  if (W.length === b.length && W[0].length === x.length) return;
  const shape = `${W.length} × ${W[0].length}`;
  throw new Error(`a matrix of ${shape} does not fit ${x.length} numbers and ${b.length} biases`);
}

function dot(w, x) {
  let sum = 0;
  for (let k = 0; k < w.length; k++) sum += w[k] * x[k];
  return sum;
}

/** Add d times x to y. */
function add(y, d, x) {
  for (let k = 0; k < y.length; k++) y[k] += d * x[k];
}

function softmax(logits) {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const p = logits.map((a) => Math.exp(a - most));
  const sum = p.reduce((a, b) => a + b);
  return p.map((a) => a / sum);
}

/** Two vectors, one behind the other. */
const joined = (a, b) => Float64Array.from([...a, ...b]);

const norm = (x) => Math.sqrt(x.reduce((sum, a) => sum + a * a, 0));

/** The non-linearities, and their slopes as functions of their values. */
const NONLINEARITIES = {
  tanh: { value: Math.tanh, slope: (h) => 1 - h * h },
  relu: { value: (a) => Math.max(a, 0), slope: (h) => (h > 0 ? 1 : 0) },
  sigmoid: { value: sigmoid, slope: (h) => h * (1 - h) },
};

/** What the layers share: weights W_x, W_h and b, and room for their gradients. */
class Layer {
  constructor(W_x, W_h, b) {
    Object.assign(this, { W_x, W_h, b });
    const rows = this.constructor.SUMS * this.hiddenSize;
    if (W_h.length !== rows) {
      throw new Error(`W_h has ${W_h.length} rows; for ${this.hiddenSize} units, ${rows}`);
    }
    this.gradient = {
      W_x: matrix(W_x.length, W_x[0].length),
      W_h: matrix(W_h.length, W_h[0].length),
      b: zeros(b.length),
    };
  }

  get hiddenSize() {
    return this.W_h[0].length;
  }

  start() {
    return { h: zeros(this.hiddenSize), c: zeros(this.hiddenSize) };
  }

  /** Read the vectors xs one after the other. Returns what `step` returned for each. */
  forward(xs) {
    const steps = [];
    let state = this.start();
    for (const x of xs) steps.push((state = this.step(x, state)));
    return steps;
  }

  /** Backpropagation through time: dh is the gradient of the loss at the last hidden state.
      Adds to `this.gradient`; returns the gradients at every state, first to last. */
  backward(steps, dh) {
    let d = { h: dh, c: zeros(this.hiddenSize) };
    const path = [];
    for (let t = steps.length - 1; t >= 0; t--) {
      path[t] = { h: d.h, ...this.stepBackward(steps[t], d) };
      d = path[t].before;
    }
    return path;
  }

  /** From the gradient da at the sums of one step, W_x x + W_h h + b, to what went into them. */
  sumsBackward(step, da) {
    const { x, before: { h } } = step, dhBefore = zeros(h.length);
    for (let j = 0; j < da.length; j++) {
      const d = da[j], row = this.W_h[j];
      add(this.gradient.W_x[j], d, x);
      add(this.gradient.W_h[j], d, h);
      add(dhBefore, d, row);
      this.gradient.b[j] += d;
    }
    return dhBefore;
  }
}

/** A simple recurrent network: h_t = φ(W_x x_t + W_h h_{t-1} + b). */
class RNN extends Layer {
  static SUMS = 1; // for each unit

  constructor(W_x, W_h, b, nonlinearity = "tanh") {
    super(W_x, W_h, b);
    this.phi = NONLINEARITIES[nonlinearity];
  }

  step(x, before) {
    const h = affine(this.W_x, x, this.b, this.W_h, before.h).map(this.phi.value);
    return { x, before, h, c: before.c };
  }

  stepBackward(step, d) {
    const da = d.h.map((dh, j) => dh * this.phi.slope(step.h[j]));
    return { before: { h: this.sumsBackward(step, da), c: d.c } };
  }
}

/** Long short-term memory. The rows of the weights are those of i, f, g and o, in this order. */
class LSTM extends Layer {
  static SUMS = 4; // for each unit

  step(x, before) {
    const H = this.hiddenSize, c = zeros(H), h = zeros(H);
    const a = affine(this.W_x, x, this.b, this.W_h, before.h);
    const [i, f, g, o] = [0, H, 2 * H, 3 * H].map((first) => a.subarray(first, first + H));
    for (let k = 0; k < H; k++) {
      i[k] = sigmoid(i[k]); // input gate
      f[k] = sigmoid(f[k]); // forget gate
      g[k] = Math.tanh(g[k]); // candidate
      o[k] = sigmoid(o[k]); // output gate
      c[k] = f[k] * before.c[k] + i[k] * g[k];
      h[k] = o[k] * Math.tanh(c[k]);
    }
    return { x, before, i, f, g, o, c, h };
  }

  stepBackward(step, d) {
    const { before, i, f, g, o, c } = step, H = this.hiddenSize;
    const da = zeros(4 * H), dc = zeros(H), dcBefore = zeros(H);
    for (let k = 0; k < H; k++) {
      const tanh = Math.tanh(c[k]);
      dc[k] = d.c[k] + d.h[k] * o[k] * (1 - tanh * tanh);
      da[k] = dc[k] * g[k] * i[k] * (1 - i[k]);
      da[H + k] = dc[k] * before.c[k] * f[k] * (1 - f[k]);
      da[2 * H + k] = dc[k] * i[k] * (1 - g[k] * g[k]);
      da[3 * H + k] = d.h[k] * tanh * o[k] * (1 - o[k]);
      dcBefore[k] = dc[k] * f[k];
    }
    return { c: dc, before: { h: this.sumsBackward(step, da), c: dcBefore } };
  }
}
