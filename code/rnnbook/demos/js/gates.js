/* The gate player: one LSTM cell, whose gates the reader holds open or shut. */

const STEPS = 12;
const GATES = ["i", "f", "o"];

/** What the gates do when they are left alone: each reads the input of its step. */
const ALONE = { i: (x) => sigmoid(12 * x - 6), f: (x) => sigmoid(6 - 12 * x), o: () => sigmoid(3) };

/** The cell of the chapter with x_t as its candidate. Gates: {i, f, o}, a number for each step. */
function runCell(x, gates) {
  const c = [], h = [];
  for (let t = 0; t < x.length; t++) {
    c[t] = gates.f[t] * (c[t - 1] ?? 0) + gates.i[t] * x[t];
    h[t] = gates.o[t] * Math.tanh(c[t]);
  }
  return { c, h };
}

/** Challenges: inputs, and what the cell state or the hidden state should be at each step. */
const CHALLENGES = [
  {
    name: say("Keep the first spike and nothing else"),
    task: say("c should become 0.8 at step 3 and stay there, whatever comes."),
    x: [0, 0, 0.8, 0, -0.5, 0, 0, 0.9, 0, 0.4, 0, -0.7],
    c: [0, 0, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8],
  },
  {
    name: say("Always keep the latest spike"),
    task: say("c should be the height of the last spike so far: 0.9, then 1, then 0.8."),
    x: [0, 0.9, 0, 0, 0, 1, 0, 0, 0.8, 0, 0, 0],
    c: [0, 0.9, 0.9, 0.9, 0.9, 1, 1, 1, 0.8, 0.8, 0.8, 0.8],
  },
  {
    name: say("Remember, but speak only at the end"),
    task: say("h should be 0 until step 11, and tanh(0.7 + 0.6) = 0.86 at step 12: both spikes, added."),
    x: [0, 0.7, 0, 0, -0.4, 0, 0.6, 0, 0, -0.3, 0, 0],
    h: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, Math.tanh(1.3)],
  },
];

/** The first step, from 1 on, at which a challenge is not met; 0 when it is solved. */
function firstMiss(challenge, states) {
  const wanted = challenge.c ?? challenge.h, found = challenge.c ? states.c : states.h;
  return 1 + wanted.findIndex((value, t) => Math.abs(value - found[t]) > 0.05);
}

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

function makeGates(stage, settings) {
  const start = () => [0, 0.8, 0, 0, 0, -0.6, 0, 0, 0, 0.4, 0, 0];
  const modes = { i: "hand", f: "hand", o: "open" };
  const hand = Object.fromEntries(GATES.map((gate) => [gate, Array(STEPS).fill(1)]));
  const own = start(); // the inputs that the reader draws
  let x = own, challenge = null;

  const equations = element("p", { class: "equations" }, "c", element("sub", {}, "t"), " = f · c",
    element("sub", {}, "t−1"), " + i · x", element("sub", {}, "t"), ",   h", element("sub", {}, "t"),
    " = o · tanh c", element("sub", {}, "t"));
  const challenges = { none: say("none: play") };
  CHALLENGES.forEach(({ name }, k) => (challenges[`challenge ${k}`] = `${k + 1}. ${name}`));
  const chosen = choice(say("Challenge"), challenges, "none", (value) => {
    challenge = CHALLENGES[value.split(" ")[1]] ?? null;
    x = challenge ? challenge.x : own;
    for (const gate of GATES) {
      hand[gate].fill(1);
      setMode(gate, gate === "o" && !challenge ? "open" : "hand");
    }
    update();
  });
  const selects = Object.fromEntries(GATES.map((gate) => [
    gate,
    choice(GATE_NAMES[gate], MODES, modes[gate], (mode) => {
      modes[gate] = mode;
      update();
    }),
  ]));
  const setMode = (gate, mode) => (selects[gate].select.value = modes[gate] = mode);
  const task = element("p"), status = statusLine();

  /* One row of the table for each step. */
  const rows = Array.from({ length: STEPS }, (_, t) => {
    const input = element("input", {
      type: "range", min: -1, max: 1, step: 0.1, "aria-label": say("input at step {step}", { step: t + 1 }),
    });
    input.addEventListener("input", () => {
      x[t] = input.valueAsNumber;
      update();
    });
    const number = element("span", { class: "number" });
    const gates = Object.fromEntries(GATES.map((gate) => [
      gate,
      button("", () => {
        hand[gate][t] = 1 - hand[gate][t];
        update();
      }, { class: "gate" }),
    ]));
    const c = element("td", { class: "bar" }), h = element("td", { class: "bar" });
    const row = element("tr", {}, element("th", { scope: "row" }, String(t + 1)),
      element("td", { class: "input" }, input, number),
      ...GATES.map((gate) => element("td", {}, gates[gate])), c, h);
    return { input, number, gates, c, h, row };
  });
  const heading = (words, index) => element("th", { scope: "col" }, words, element("sub", {}, index));
  const table = element("table", { class: "cell-table" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "t"),
      ...["x", "i", "f", "o", "c", "h"].map((name) => heading(name, "t")))),
    element("tbody", {}, ...rows.map(({ row }) => row)));

  function update() {
    const gates = Object.fromEntries(GATES.map((gate) => [gate, x.map((value, t) =>
      ({ hand: hand[gate][t], open: 1, shut: 0, alone: ALONE[gate](value) })[modes[gate]])]));
    const states = runCell(x, gates);
    rows.forEach((row, t) => {
      row.input.value = x[t];
      row.input.disabled = challenge !== null;
      row.number.textContent = x[t].toFixed(1);
      for (const gate of GATES) {
        const value = gates[gate][t], key = row.gates[gate];
        key.textContent = modes[gate] === "alone" ? value.toFixed(2) : String(value);
        const name = say("{gate}, step {step}, open", { gate: GATE_NAMES[gate], step: t + 1 });
        key.setAttribute("aria-label", `${name}: ${key.textContent}`); // says what one sees, too
        key.style.setProperty("--open", value);
        key.disabled = modes[gate] !== "hand";
        key.setAttribute("aria-pressed", value > 0.5);
        key.tabIndex = -1;
      }
      bar(row.c, states.c[t], challenge?.c?.[t]);
      bar(row.h, states.h[t], challenge?.h?.[t]);
    });
    tabStop(rows)?.setAttribute("tabindex", 0);
    task.textContent = challenge?.task
      ?? say("Draw inputs with the sliders, open and shut gates, and watch c and h.");
    status.textContent = words(states);
    status.classList.toggle("solved", challenge !== null && firstMiss(challenge, states) === 0);
  }

  function words(states) {
    if (!challenge) return "";
    const miss = firstMiss(challenge, states);
    if (miss === 0) return say("Solved!");
    return say("Not yet: see step {miss}.", { miss });
  }

  stage.append(equations, element("div", { class: "controls" }, chosen, ...GATES.map((gate) => selects[gate])),
    task, status, element("div", { class: "scroll" }, table));
  table.addEventListener("keydown", (event) => moveFocus(event, rows));
  table.addEventListener("focusin", ({ target }) => {
    if (!target.matches(".gate")) return;
    for (const key of table.querySelectorAll(".gate")) key.tabIndex = key === target ? 0 : -1;
  });
  update();
}

/** The one gate that the Tab key goes to: the one with the focus, or the first that can be set. */
function tabStop(rows) {
  const keys = rows.flatMap(({ gates }) => Object.values(gates)).filter((key) => !key.disabled);
  return keys.find((key) => key === document.activeElement) ?? keys[0];
}

/** Arrow keys go from gate to gate. */
function moveFocus(event, rows) {
  const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
  const t = rows.findIndex(({ gates }) => Object.values(gates).includes(event.target));
  if (t < 0 || (down === 0 && right === 0)) return;
  const gate = GATES.findIndex((name) => rows[t].gates[name] === event.target);
  rows[t + down]?.gates[GATES[gate + right]]?.focus();
  event.preventDefault();
}

/** A number with a bar behind it that begins in the middle, and a mark where it should be. */
function bar(cell, value, wanted) {
  const place = (v) => 50 + 50 * Math.min(Math.max(v / 1.5, -1), 1); // the ends are ±1.5
  const [from, to] = [Math.min(50, place(value)), Math.max(50, place(value))];
  cell.replaceChildren(element("span", { class: "number" }, value.toFixed(2)));
  cell.style.setProperty("--from", `${from}%`);
  cell.style.setProperty("--to", `${to}%`);
  cell.classList.toggle("aimed", wanted !== undefined);
  cell.classList.toggle("missed", wanted !== undefined && Math.abs(value - wanted) > 0.05);
  if (wanted !== undefined) cell.style.setProperty("--wanted", `${place(wanted)}%`);
}

demos("gates", makeGates);
