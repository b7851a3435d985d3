/* The gate player: one LSTM cell, whose gates the reader holds open or shut. Time runs from left to
   right; what goes in stands above the gates, and what comes of it below them. */

const GATE_NAMES = {
  i: say("input gate i"),
  f: say("forget gate f"),
  o: say("output gate o"),
};
const MODES = {
  hand: say("step by step"),
  open: say("held open"),
  shut: say("held shut"),
  alone: say("left alone"),
};

/** A name with the index t, or t - 1. */
const indexed = (name, index = "t") => [name, element("sub", {}, index)];

/** The table: a column for each step; rows for the input, the gates, the cell state and h. */
function makeTable(selects, onInput, onGate) {
  const steps = Array.from({ length: STEPS }, (_, t) => {
    const input = element("input", {
      type: "range", min: -1, max: 1, step: 0.1, class: "upright", "aria-orientation": "vertical",
      "aria-label": say("input at step {step}", { step: t + 1 }),
    });
    input.addEventListener("input", () => onInput(t, input.valueAsNumber));
    const cells = Object.fromEntries(["x", "c", "h"].map((name) => [name, element("td", { class: "bar" })]));
    const numbers = Object.fromEntries(["x", "c", "h"].map((name) => [name, element("span", { class: "number" })]));
    for (const name of ["x", "c", "h"]) cells[name].append(numbers[name]);
    cells.x.prepend(input);
    const gates = Object.fromEntries(GATES.map((gate) => [gate, button("", () => onGate(gate, t), { class: "gate" })]));
    return { input, cells, numbers, gates };
  });
  const row = (name, label, cellOf) => element("tr", { class: `row-${name}` },
    element("th", { scope: "row" }, ...label), ...steps.map(cellOf));
  const state = (name, ...label) => row(name, label, ({ cells }) => cells[name]);
  const node = element("table", { class: "cell-table" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, say("step t")),
      ...steps.map((_, t) => element("th", { scope: "col" }, String(t + 1))))),
    element("tbody", {},
      state("x", say("input"), " ", ...indexed("x")),
      ...GATES.map((gate) => row(gate, [selects[gate]], ({ gates }) => element("td", {}, gates[gate]))),
      state("c", ...indexed("c"), " = ", ...indexed("f"), " · ", ...indexed("c", "t−1"), " + ", ...indexed("i"), " · ", ...indexed("x")),
      state("h", ...indexed("h"), " = ", ...indexed("o"), " · tanh ", ...indexed("c"))));
  return { node, steps };
}

function makeGates(stage) {
  const start = () => [0, 0.8, 0, 0, 0, -0.6, 0, 0, 0, 0.4, 0, 0];
  const modes = { i: "hand", f: "hand", o: "open" };
  const hand = Object.fromEntries(GATES.map((gate) => [gate, Array(STEPS).fill(1)]));
  const own = start(); // the inputs that the reader draws
  let x = own, challenge = null;

  const challenges = { none: say("none: play") };
  CHALLENGES.forEach(({ name }, k) => (challenges[`challenge ${k}`] = `${k + 1}. ${name}`));
  const take = (value) => {
    challenge = CHALLENGES[value.split(" ")[1]] ?? null;
    x = challenge ? challenge.x : own;
    for (const gate of GATES) {
      hand[gate].fill(1);
      setMode(gate, gate === "o" && !challenge ? "open" : "hand");
    }
    update();
  };
  const chosen = choice(say("Challenge"), challenges, "challenge 0", take);
  const selects = Object.fromEntries(GATES.map((gate) => [
    gate,
    choice(GATE_NAMES[gate], MODES, modes[gate], (mode) => {
      modes[gate] = mode;
      update();
    }),
  ]));
  const setMode = (gate, mode) => (selects[gate].select.value = modes[gate] = mode);
  const task = toTry(""), status = statusLine();
  const table = makeTable(selects, (t, value) => {
    x[t] = value;
    update();
  }, (gate, t) => {
    hand[gate][t] = 1 - hand[gate][t];
    update();
  });

  function update() {
    const gates = Object.fromEntries(GATES.map((gate) => [gate, x.map((value, t) =>
      ({ hand: hand[gate][t], open: 1, shut: 0, alone: ALONE[gate](value) })[modes[gate]])]));
    const states = runCell(x, gates);
    table.steps.forEach((step, t) => {
      step.input.value = x[t];
      step.input.disabled = challenge !== null;
      for (const gate of GATES) showGate(step.gates[gate], gate, t, gates[gate][t], modes[gate]);
      bar(step, "x", x[t], { digits: 1 });
      bar(step, "c", states.c[t], { wanted: challenge?.c?.[t], most: 1.5 });
      bar(step, "h", states.h[t], { wanted: challenge?.h?.[t] });
    });
    tabStop(table.steps)?.setAttribute("tabindex", 0);
    task.textContent = challenge?.task
      ?? say("Pull the inputs up and down, shut a gate for some steps, and see what the cell keeps.");
    status.textContent = words(states);
    status.classList.toggle("solved", challenge !== null && firstMiss(challenge, states) === 0);
  }

  function words(states) {
    if (!challenge) return "";
    const miss = firstMiss(challenge, states);
    if (miss === 0) return say("Solved!");
    return say("Not yet: see step {miss}.", { miss });
  }

  task.classList.add("task");
  stage.append(task, element("div", { class: "controls line" }, chosen, status), table.node);
  table.node.addEventListener("keydown", (event) => moveFocus(event, table.steps));
  table.node.addEventListener("focusin", ({ target }) => {
    if (!target.matches(".gate")) return;
    for (const key of table.node.querySelectorAll(".gate")) key.tabIndex = key === target ? 0 : -1;
  });
  take("challenge 0");
}

function showGate(key, gate, t, value, mode) {
  key.textContent = mode === "alone" ? briefly(value) : String(value);
  const name = say("{gate}, step {step}, open", { gate: GATE_NAMES[gate], step: t + 1 });
  key.setAttribute("aria-label", `${name}: ${key.textContent}`); // says what one sees, too
  key.style.setProperty("--open", value);
  key.disabled = mode !== "hand";
  key.setAttribute("aria-pressed", value > 0.5);
  key.tabIndex = -1;
}

/** The one gate that the Tab key goes to: the one with the focus, or the first that can be set. */
function tabStop(steps) {
  const keys = steps.flatMap(({ gates }) => Object.values(gates)).filter((key) => !key.disabled);
  return keys.find((key) => key === document.activeElement) ?? keys[0];
}

/** Arrow keys go from gate to gate. */
function moveFocus(event, steps) {
  const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
  const t = steps.findIndex(({ gates }) => Object.values(gates).includes(event.target));
  if (t < 0 || (down === 0 && right === 0)) return;
  const gate = GATES.findIndex((name) => steps[t].gates[name] === event.target);
  steps[t + right]?.gates[GATES[gate + down]]?.focus();
  event.preventDefault();
}

/** A rounded number in as few signs as possible: 0, .80, −.05, 1.20. */
const briefly = (value, digits = 2) =>
  (Number(value.toFixed(digits)) === 0 ? "0" : value.toFixed(digits).replace(/^(-?)0/, "$1").replace("-", "−"));

/** A number, and a bar that begins in the middle of its cell, up or down, and a mark where it
    should be. The ends are ±most. */
function bar({ cells, numbers }, name, value, { wanted, digits = 2, most = 1 }) {
  const cell = cells[name];
  const place = (v) => 50 - 50 * Math.min(Math.max(v / most, -1), 1);
  numbers[name].textContent = briefly(value, digits);
  cell.style.setProperty("--from", `${Math.min(50, place(value))}%`);
  cell.style.setProperty("--to", `${Math.max(50, place(value))}%`);
  cell.classList.toggle("aimed", wanted !== undefined);
  cell.classList.toggle("missed", wanted !== undefined && Math.abs(value - wanted) > 0.05);
  if (wanted !== undefined) cell.style.setProperty("--wanted", place(wanted) / 100);
}

demos("gates", makeGates);
