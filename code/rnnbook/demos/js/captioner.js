/* The network that says what it sees, after `rnnbook.models.pictures`; tests hold them equal. */

const END = 0; // the sign that begins a caption and ends it
const STRIDES = [2, 2, 1]; // of the convolutions of the encoder

class Captioner {
  /** `weights` are named as `rnnbook.demos.pictures.weights_of` does. */
  constructor(weights, heads) {
    Object.assign(this, { weights, heads });
    this.lstm = new LSTM(weights.W_x, weights.W_h, weights.b);
  }

  /** Look at a picture, of which each pixel is three numbers from 0 to 255, row by row: the
      vectors of the 10 × 10 places. */
  see(pixels) {
    let x = rowsOf(Float64Array.from(pixels, (value) => value / 127.5 - 1), 3);
    STRIDES.forEach((stride, i) => {
      x = convolved(this.weights[`encoder.${i}`], this.weights[`encoder.${i}_b`], x, stride);
    });
    return x.map((place, s) => place.map((a, k) => a + this.weights.position[s][k]));
  }

  start() {
    return this.lstm.start();
  }

  /** One step after the id `previous`, in the language with this number: the logits, the next
      state, and the weights of the places for each head. */
  step(previous, language, state, places) {
    const { embedding, language: signs, found, said, said_b, head, head_b } = this.weights;
    const x = embedding[previous].map((a, k) => a + signs[language][k]);
    const { h, c } = this.lstm.step(x, state);
    const { seen, looks } = this.find(h, places);
    const votes = affine(said, h, said_b, found, seen);
    return { logits: affine(head, votes, head_b), state: { h, c }, looks };
  }

  /** Each head compares a part of the query with that part of each place, and sees that part. */
  find(h, places) {
    const query = affine(this.weights.query, h, this.weights.query_b);
    const seen = zeros(query.length), size = query.length / this.heads, looks = [];
    for (let from = 0; from < query.length; from += size) {
      const part = (vector) => vector.subarray(from, from + size);
      const look = softmax(places.map((place) => dot(part(query), part(place)) / Math.sqrt(size)));
      looks.push(look);
      places.forEach((place, s) => part(place).forEach((a, k) => (seen[from + k] += look[s] * a)));
    }
    return { seen, looks };
  }
}

/** A convolution with a ReLU. x are the vectors of the places of a square, row by row, and so is
    what comes out. A row of W is what one unit multiplies with: for each channel a square. */
function convolved(W, b, x, stride) {
  const side = Math.sqrt(x.length), channels = x[0].length;
  const size = Math.sqrt(W[0].length / channels), edge = (size - 1) / 2;
  const patch = zeros(W[0].length), out = [];
  for (let row = 0; row < side; row += stride) {
    for (let column = 0; column < side; column += stride) {
      for (let k = 0; k < size * size; k++) {
        const r = row + Math.floor(k / size) - edge, c = column + (k % size) - edge;
        const inside = r >= 0 && r < side && c >= 0 && c < side;
        for (let channel = 0; channel < channels; channel++) {
          patch[channel * size * size + k] = inside ? x[r * side + c][channel] : 0;
        }
      }
      out.push(affine(W, patch, b).map((a) => Math.max(a, 0)));
    }
  }
  return out;
}

/** A step more of a caption, of which `path` are the steps until here: the likeliest word. */
function spoken(model, places, path, language) {
  const before = path.at(-1) ?? { id: END, state: model.start() };
  const { logits, state, looks } = model.step(before.id, language, before.state, places);
  const p = softmax(logits), most = Math.max(...p);
  return { id: p.indexOf(most), p: most, language, state, looks };
}
