/* Train it here: a simple RNN and an LSTM learn, side by side, to say which sign came first. */

const BATCH = 32, POINTS = 280;

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

const KINDS = [
  { kind: "rnn", name: say("simple RNN"), color: "orange" },
  { kind: "lstm", name: "LSTM", color: "blue" },
];

function makeTrainer(stage, settings) {
  let learners, curves, stop = null, seed = 0, lag = settings.lag, clip = true, random;

  const lags = slider(say("Lag (steps)"),
    { min: 2, max: 60, step: 1, value: lag }, (value) => {
      lag = value;
      reset();
    });
  const clipping = element("input", { type: "checkbox", checked: true, onchange: () => {
    clip = clipping.checked;
    draw();
  } });
  const clipLabel = element("label", { class: "check" }, clipping, say("clip the gradient at 1"));
  const go = button(say("Train"), () => (stop ? pause() : run()), { class: "primary" });
  const again = button(say("Begin anew"), () => {
    seed++;
    reset();
  });
  const status = statusLine();
  status.setAttribute("aria-live", "off"); // it changes too often to be read aloud
  const summary = statusLine();
  summary.classList.add("hidden-words");
  const xlabel = say("training step");
  const loss = lineChart({ title: say("Loss"), xlabel, ylabel: say("loss (nats)") });
  const norms = lineChart({
    title: say("Norm of the gradient"), xlabel, ylabel: say("norm, before clipping"), log: true,
  });

  function reset() {
    pause();
    go.disabled = false;
    go.textContent = say("Train");
    random = uniform(1000 + seed);
    learners = KINDS.map(({ kind }, k) => new Learner(kind, settings, 10 * seed + k));
    curves = KINDS.map(() => ({ loss: [], norm: [], accuracy: [] }));
    draw();
  }

  function run() {
    let drawn = 0;
    go.textContent = say("Pause");
    const step = () => {
      const batch = Array.from({ length: BATCH }, () => example(lag, random));
      learners.forEach((learner, k) => {
        const found = learner.learn(batch, clip);
        for (const key of ["loss", "norm", "accuracy"]) curves[k][key].push(found[key]);
      });
      if (performance.now() - drawn > 150) {
        draw();
        drawn = performance.now();
      }
      return learners[0].steps >= settings.steps;
    };
    stop = inPieces(() => {
      const finished = step();
      if (finished) pause();
      return finished;
    }, (error) => (status.textContent = error.message));
  }

  function pause() {
    if (!stop) return;
    stop();
    stop = null;
    const finished = learners[0].steps >= settings.steps;
    go.disabled = finished;
    go.textContent = finished ? say("Done") : say("Continue");
    draw();
    summary.textContent = status.textContent;
  }

  function draw() {
    const steps = curves[0].loss.length, group = Math.max(1, Math.ceil(steps / POINTS));
    const xmax = Math.max(100, steps);
    const series = (key) => KINDS.map(({ color }, k) => ({ values: spread(curves[k][key], group), color }));
    const guessing = { values: Array(xmax + 1).fill(Math.LN2), color: "grey", dashed: true };
    const scores = KINDS.map(({ name }, k) =>
      say("{name}: {share}% right", { name, share: Math.round(100 * recent(curves[k].accuracy)) })).join(say(", "));
    status.textContent = steps === 0
      ? say("Was the first of {signs} signs + or −? Press “Train”.", { signs: lag + 1 })
      : say("Step {steps}. {scores}", { steps, scores });
    const description = status.textContent;
    loss.update([guessing, ...series("loss")], { xmax, ymin: 0, ymax: 1, description });
    const limit = clip ? [{ values: Array(xmax + 1).fill(1), color: "grey", dashed: true }] : [];
    norms.update([...limit, ...series("norm")], { xmax, ymin: 1e-4, ymax: 100, description });
  }

  stage.append(
    element("div", { class: "controls" }, lags, clipLabel, go, again), status, summary,
    legend([...KINDS, { name: say("guessing"), color: "grey", dashed: true }]), loss.svg, norms.svg);
  reset();
}

/** The means of groups of values, each at the place of its last value; between them nothing. */
function spread(values, group) {
  const found = [];
  for (let end = group; end <= values.length; end += group) {
    let sum = 0;
    for (let k = end - group; k < end; k++) sum += values[k];
    found[end - 1] = sum / group;
  }
  return found;
}

const recent = (values) => values.slice(-20).reduce((a, b) => a + b, 0) / Math.min(20, values.length || 1);

demos("trainer", makeTrainer);
