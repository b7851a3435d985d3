/* The gradient, step by step back through time, in an untrained network. */

const UNITS = 32, MOST_STEPS = 100;
const LEAST = 1e-150; // the axis goes from here to its inverse at most
const STRIDE = 10; // powers of ten by which the axis grows, so that it seldom does

/** The norms of the gradient, from the last step back, and the factor that is predicted. */
function measure({ network, nonlinearity, scale, steps, bias, seed }) {
  const layer = network === "lstm" ? untrainedLSTM(scale, bias, seed) : untrainedRNN(nonlinearity, scale, seed);
  const random = uniform(seed + 1000);
  const xs = Array.from({ length: steps }, () => [random() < 0.5 ? -1 : 1]);
  const dh = zeros(UNITS).map(() => random() - 0.5).map((d, _, all) => d / norm(all));
  const states = layer.forward(xs);
  const path = layer.backward(states, dh);
  const norms = path.map((d) => norm(network === "lstm" ? d.c : d.h)).reverse();
  const factor = network === "lstm" ? sigmoid(bias) : predictedFactor(layer, states);
  return { norms, factor };
}

/** As PyTorch starts it, uniform in ±1/√H, with the recurrent weights multiplied by `scale`. */
function weights(units, scale, seed) {
  const random = uniform(seed), bound = 1 / Math.sqrt(UNITS);
  const draw = () => bound * (2 * random() - 1);
  return [matrix(units, 1, draw), matrix(units, UNITS, () => scale * draw()), zeros(units).map(draw)];
}

function untrainedRNN(nonlinearity, scale, seed) {
  return new RNN(...weights(UNITS, scale, seed), nonlinearity);
}

function untrainedLSTM(scale, bias, seed) {
  const layer = new LSTM(...weights(4 * UNITS, scale, seed));
  layer.b.fill(bias, UNITS, 2 * UNITS);
  return layer;
}

/** The root of the mean squared singular value times the mean squared slope. */
function predictedFactor(layer, states) {
  const squares = layer.W_h.all.reduce((sum, w) => sum + w * w, 0) / UNITS;
  const slopes = states.flatMap(({ h }) => [...h].map((v) => layer.phi.slope(v) ** 2));
  return Math.sqrt((squares * slopes.reduce((a, b) => a + b)) / slopes.length);
}

function makeGradient(stage) {
  const choices = { network: "rnn", nonlinearity: "tanh", scale: 1, steps: 50, bias: 1, seed: 0 };
  const change = (name) => (value) => {
    choices[name] = value;
    update();
  };
  const network = choice(say("Network"),
    { rnn: say("simple RNN"), lstm: "LSTM" }, "rnn", change("network"));
  const nonlinearity = choice(say("Non-linearity"),
    { tanh: "tanh", relu: "ReLU", sigmoid: say("sigmoid") }, "tanh", change("nonlinearity"));
  const scale = slider(say("Recurrent weights, times"),
    { min: 0, max: 6, step: 0.1, value: 1, show: (v) => `${v.toFixed(1)} ×` }, change("scale"));
  const steps = slider(say("Steps"),
    { min: 2, max: MOST_STEPS, step: 1, value: 50 }, change("steps"));
  const bias = slider(say("Forget bias"),
    { min: -3, max: 8, step: 0.5, value: 1, show: (v) => v.toFixed(1) }, change("bias"));
  bias.classList.add("or"); // it stands where the other choice stood
  const again = button(say("Other random weights"), () => change("seed")(choices.seed + 1));
  const chart = lineChart({
    title: say("Norm of the gradient at each step back"),
    xlabel: say("steps back from the last"),
    ylabel: say("norm of the gradient"),
    log: true, height: 300,
  });
  const names = element("div");
  const status = statusLine();

  function update() {
    const lstm = choices.network === "lstm";
    nonlinearity.hidden = lstm;
    bias.hidden = !lstm;
    names.replaceChildren(legend([
      { name: say("computed"), color: "blue" },
      { name: lstm ? say("the forget gate alone") : say("predicted slope"), color: "orange", dashed: true },
      { name: say("as at the last step"), color: "grey", dashed: true },
    ]));
    const { norms, factor } = measure(choices);
    const start = norms.find((value) => value > 0) ?? 1; // an LSTM's c gets its first gradient from h
    const predicted = norms.map((_, k) => start * factor ** k);
    const shown = [...norms, ...predicted].filter((value) => value > LEAST && value < 1 / LEAST);
    const ymax = Math.min(outward(Math.max(...shown, 1.1)), 1 / LEAST);
    const ymin = Math.max(1 / outward(1 / Math.min(...shown, 0.9)), LEAST);
    const last = norms[norms.length - 1], back = norms.length - 1;
    status.textContent = words(last / start, factor, back, lstm);
    chart.update(
      [{ values: norms.map(() => start), color: "grey", dashed: true },
        { values: predicted, color: "orange", dashed: true }, { values: norms, color: "blue" }],
      { xmax: back, ymin, ymax, description: status.textContent },
    );
  }

  function words(ratio, factor, back, lstm) {
    if (ratio === 0) {
      return say("The gradient is exactly 0; a logarithmic axis cannot show that.");
    }
    const slope = factor.toFixed(3);
    const predicted = lstm ? say("the forget gate alone: {slope}", { slope }) : say("predicted: {slope}", { slope });
    const steps = back === 1 ? say("1 step") : say("{back} steps", { back });
    const values = { steps, ratio: short(ratio), factor: (ratio ** (1 / back)).toFixed(3), predicted };
    return say("{steps} back, the gradient is {ratio} times as large: a factor of {factor} for each step ({predicted}).", values);
  }

  status.classList.add("measured");
  stage.append(
    toTry(say("Find a scale at which the gradient neither vanishes nor explodes. Does it suit other weights?")),
    names, chart.svg, status,
    element("div", { class: "controls knobs" }, network, nonlinearity, bias, again, scale, steps));
  update();
}

/** The next of 10¹⁰, 10²⁰, 10³⁰ and so on. */
const outward = (value) => 10 ** (STRIDE * Math.ceil(Math.log10(value) / STRIDE));

/** A number of any size in a few characters. */
function short(value) {
  if (value === 0) return "0";
  return value >= 0.001 && value < 10000 ? String(+value.toPrecision(3)) : powerOfTen(value);
}

function powerOfTen(value) {
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${digits} × 10${superscript(Number(exponent))}`;
}

demos("gradient", makeGradient);
