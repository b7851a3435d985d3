/* The cell of the gate player, and what it is challenged to do. */

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
