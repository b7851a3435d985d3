/* Networks that hear digits in frames, after `rnnbook.models.speech`; tests hold them equal. */

const BLANK = 0; // the sign for none; the digit d has the number d + 1

class FrameReader {
  /** `weights` are named as `rnnbook.demos.speech.weights_of` does, beginning with `name`. */
  constructor(weights, name) {
    const lstm = (path) => `${path}.W_x` in weights
      ? new LSTM(...["W_x", "W_h", "b"].map((part) => weights[`${path}.${part}`])) : null;
    this.layers = [];
    for (let i = 0; `${name}.${i}.forwards.W_x` in weights; i++) {
      this.layers.push({ forwards: lstm(`${name}.${i}.forwards`), backwards: lstm(`${name}.${i}.backwards`) });
    }
    [this.head, this.head_b] = [weights[`${name}.head`], weights[`${name}.head_b`]];
  }

  /** What it takes each frame for, where these are all: for each the probabilities of the signs. */
  read(frames) {
    let xs = frames;
    for (const { forwards, backwards } of this.layers) {
      const ahead = forwards.forward(xs), back = backwards?.forward([...xs].reverse()).reverse();
      xs = ahead.map(({ h }, t) => (back ? joined(h, back[t].h) : h));
    }
    return xs.map((x) => softmax(affine(this.head, x, this.head_b)));
  }
}

/** The likeliest sign of each frame. */
const likeliest = (rows) => rows.map((p) => p.indexOf(Math.max(...p)));

/** The digits that an alignment says: repeated signs once, then without blanks. */
const collapsed = (signs) => signs.filter((k, t) => k !== BLANK && k !== signs[t - 1]).map((k) => k - 1);
