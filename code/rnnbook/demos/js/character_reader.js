/* A character model that reads and writes, and how the next character is drawn. */

const MOST_READ = 1000; // of the prompt, the last characters

/** What the LSTM knows after some characters: its state, and the logits of the next one. */
class CharacterReader {
  constructor({ embedding, W_x, W_h, b, head, head_b }, characters) {
    Object.assign(this, { embedding, head, head_b, characters });
    this.layer = new LSTM(W_x, W_h, b);
  }

  start() {
    return { state: this.layer.start(), logits: null };
  }

  read({ state }, id) {
    const next = this.layer.step(this.embedding[id], state);
    const kept = { h: next.h, c: next.c }; // not the way here: that would keep every state
    return { state: kept, logits: affine(this.head, next.h, this.head_b) };
  }
}

/** The probabilities from which a character is drawn: logits / temperature, the k likeliest. */
function sharpened(logits, temperature, k) {
  const threshold = [...logits].sort((a, b) => b - a)[Math.min(k, logits.length) - 1];
  const kept = [...logits].map((a) => (a < threshold ? -Infinity : a));
  if (temperature === 0) return kept.map((a) => (a === Math.max(...kept) ? 1 : 0));
  return softmax(kept.map((a) => a / temperature));
}

/** Draw an index with the given probabilities; r is uniform from 0 to 1. */
function drawn(p, r) {
  let sum = 0;
  for (let k = 0; k < p.length; k++) if ((sum += p[k]) > r) return k;
  return p.lastIndexOf(Math.max(...p));
}

/** What the model is to read first: its ids, and notes on what is left out. */
function readable(text, characters) {
  const begin = text.slice(-MOST_READ), notes = [];
  const unknown = [...new Set([...begin].filter((c) => !characters.includes(c)))];
  const ids = [...begin].map((c) => characters.indexOf(c)).filter((id) => id >= 0);
  if (text.length > MOST_READ) {
    notes.push(say("Only the last {most} characters are read.", { most: MOST_READ }));
  }
  if (unknown.length) {
    const some = unknown.slice(0, 8).join(" ") + (unknown.length > 8 ? " …" : "");
    notes.push(say("It does not know {some}; these are left out.", { some }));
  }
  return { ids: ids.length ? ids : [characters.indexOf("\n")], notes };
}
