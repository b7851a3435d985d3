/* Train it here: a simple RNN and an LSTM learn, side by side, to say which sign came first. */

const POINTS = 280;
const MOST_SIGNS = 20; // that are shown

const KINDS = [
  { kind: "rnn", name: say("simple RNN"), color: "orange" },
  { kind: "lstm", name: "LSTM", color: "blue" },
];

/** How many answers of each network are right: its name, a bar, and a large number. */
function makeScores() {
  const rows = KINDS.map(({ name, color }) => element("li", { class: color }, element("span", { class: "name" }, name),
    element("span", { class: "track" }), element("span", { class: "value" })));
  const show = (shares) => rows.forEach((row, k) => {
    row.style.setProperty("--share", shares[k]);
    row.lastChild.textContent = percent(shares[k]);
  });
  return { node: element("ul", { class: "scores", "aria-label": say("right answers") }, ...rows), show };
}

/** The signs of an example in one line, the first of them framed; of a long one both ends. */
function signsOf({ xs }) {
  const signs = xs.map(([x]) => (x > 0 ? "+" : "−"));
  const shown = signs.length <= MOST_SIGNS ? signs : [...signs.slice(0, MOST_SIGNS - 8), "…", ...signs.slice(-7)];
  return [...shown.map((sign, t) => element(t === 0 ? "b" : "span", {}, sign)), element("span", {}, "→ ?")];
}

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
  const go = button(say("Train"), () => (stop ? pause() : run()), { class: "primary train" });
  const again = button(say("Begin anew"), () => {
    seed++;
    reset();
  });
  const signs = element("p", { class: "signs", "aria-hidden": "true" });
  const scores = makeScores(), count = element("span", { class: "count" });
  const status = statusLine(); // said at the beginning and where it stops; what is seen changes too often
  status.classList.add("hidden-words");
  const xlabel = say("training step");
  const loss = lineChart({ title: say("Loss"), xlabel, ylabel: say("loss (nats)"), height: 200, left: 72 });
  const norms = lineChart({
    title: say("Norm of the gradient"), xlabel, ylabel: say("norm"), log: true, height: 140,
  });

  function reset() {
    pause();
    go.disabled = false;
    go.textContent = say("Train");
    random = uniform(1000 + seed);
    learners = KINDS.map(({ kind }, k) => new Learner(kind, settings, 10 * seed + k));
    curves = KINDS.map(() => ({ loss: [], norm: [], accuracy: [] }));
    signs.replaceChildren(...signsOf(example(lag, uniform(seed))));
    draw();
    status.textContent = words();
  }

  function run() {
    go.textContent = say("Pause");
    work();
  }

  /** Learn, a little at a time. */
  function work() {
    let drawn = 0;
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
    status.textContent = words();
  }

  /** The share of right answers of each network; half, before it has learned anything. */
  const shares = () => curves.map(({ accuracy }) => (accuracy.length ? recent(accuracy) : 0.5));

  function words() {
    const steps = curves[0].loss.length;
    if (steps === 0) return say("Was the first of {signs} signs + or −? Press “Train”.", { signs: lag + 1 });
    const found = shares().map((share, k) =>
      say("{name}: {share}% right", { name: KINDS[k].name, share: Math.round(100 * share) })).join(say(", "));
    return say("Step {steps}. {scores}", { steps, scores: found });
  }

  function draw() {
    const steps = curves[0].loss.length, group = Math.max(1, Math.ceil(steps / POINTS));
    const xmax = doubled(100, steps);
    const series = (key) => KINDS.map(({ color }, k) => ({ values: spread(curves[k][key], group), color }));
    const guessing = { values: Array(xmax + 1).fill(Math.LN2), color: "grey", dashed: true };
    const description = words();
    scores.show(shares());
    count.textContent = say("step {steps}", { steps });
    loss.update([guessing, ...series("loss")], { xmax, ymin: 0, ymax: 1, description });
    const limit = clip ? [{ values: Array(xmax + 1).fill(1), color: "grey", dashed: true }] : [];
    norms.update([...limit, ...series("norm")], { xmax, ymin: 1e-4, ymax: 100, description });
  }

  stage.append(
    toTry(say("Was the first sign + or −? Train both, and see which finds out; then ask for a longer memory.")),
    signs, element("div", { class: "controls line training" }, go, lags, again), scores.node,
    element("div", { class: "below" }, legend([{ name: say("guessing"), color: "grey", dashed: true }]), count),
    status, loss.svg, clipLabel, norms.svg);
  new IntersectionObserver((entries) => { // where nobody sees it, it does not take a core
    if (!stop) return;
    stop();
    if (entries.at(-1).isIntersecting) work();
  }).observe(stage);
  reset();
}

/** The first of start, 2 start, 4 start … that is large enough: the axis seldom changes. */
const doubled = (start, least) => (start >= least ? start : doubled(2 * start, least));

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
