/* A whisper from the 13 numbers of each frame: noise that is given the spectrum they describe.

   The file of the recordings does not say how its numbers were made. The numbers of frames, and the
   resonances of the vowels, fit the defaults of torchaudio's MFCC at 8,000 samples a second: a frame
   every 200 samples, 128 bands on the mel scale, decibels, an orthonormal cosine transform. */

const RATE = 8000, HOP = 200, WINDOW = 400; // samples: in a second, from frame to frame, in a frame
const BANDS = 128;
const LOUDEST = 0.7; // of a sample
const COSINES = Float64Array.from({ length: WINDOW }, (_, n) => Math.cos((2 * Math.PI * n) / WINDOW));

/** How strong each band is, in decibels: the inverse of the cosine transform. */
const bandsOf = (coefficients) => Float64Array.from({ length: BANDS }, (_, band) =>
  coefficients.reduce((sum, value, k) =>
    sum + value * Math.sqrt((k ? 2 : 1) / BANDS) * Math.cos((Math.PI * k * (band + 0.5)) / BANDS), 0));

const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);

/** How strong a wave of each frequency is, from 0 to 4,000 hertz in steps of 20. A band is the wider
    the higher it lies, in proportion to 700 + hertz, so each of its waves has less of its power. */
function gainsOf(coefficients) {
  const bands = bandsOf(coefficients);
  return Float64Array.from({ length: WINDOW / 2 + 1 }, (_, k) => {
    const hertz = (k * RATE) / WINDOW;
    const place = Math.min(Math.max(((BANDS + 1) * mel(hertz)) / mel(RATE / 2) - 1, 0), BANDS - 1);
    const below = Math.floor(place), above = Math.min(below + 1, BANDS - 1);
    const decibels = bands[below] + (place - below) * (bands[above] - bands[below]);
    return Math.sqrt((700 * 10 ** (decibels / 10)) / (700 + hertz));
  });
}

/** Samples from -1 to 1: for each frame waves of all frequencies, begun at random places; frames
    fade into each other. `random` gives numbers from 0 to 1. */
function whisper(frames, random) {
  const samples = new Float32Array((frames.length + 1) * HOP);
  frames.forEach((frame, t) => {
    const wave = new Float64Array(WINDOW);
    gainsOf(frame).forEach((gain, k) => {
      const begun = Math.floor(WINDOW * random());
      for (let n = 0; n < WINDOW; n++) wave[n] += gain * COSINES[(k * n + begun) % WINDOW];
    });
    wave.forEach((value, n) => (samples[t * HOP + n] += value * Math.sin((Math.PI * (n + 0.5)) / WINDOW)));
  });
  const most = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return samples.map((value) => (LOUDEST * value) / most);
}

/* ------------------------------------------------------------------ hearing it */

const canSound = () => typeof AudioContext === "function";

/** What plays frames, scaled to mean 0 and deviation 1, from the frame number `from`. It is silent
    where the browser has no sound. */
function makeVoice({ mean, spread }) {
  let context, source = null;

  function play(frames, from) {
    stop();
    if (!canSound()) return;
    context ??= new AudioContext();
    context.resume();
    const samples = whisper(frames.map((frame) => frame.map((x, k) => mean[k] + spread[k] * x)), uniform(0));
    const buffer = context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.start(0, (from * HOP) / RATE);
  }

  function stop() {
    source?.stop();
    source = null;
  }

  return { play, stop };
}
