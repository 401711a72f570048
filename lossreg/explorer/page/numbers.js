// What the programs of the losses need beside Math. None of it knows a loss.
const each = (count, entry) => Float64Array.from({ length: count }, (_, i) => Number(entry(i)));
const fold = (start, step) => (count, entry) => {
  let result = start;
  for (let i = 0; i < count; i++) result = step(result, entry(i));
  return result;
};
const sum = fold(0, (a, b) => a + b);
const product = fold(1, (a, b) => a * b);
const largest = fold(-Infinity, Math.max);
const smallest = fold(Infinity, Math.min);
const every = fold(true, (a, b) => Boolean(a && b));
const some = fold(false, (a, b) => Boolean(a || b));
const square = x => x * x;
const between = (i, last) => Math.min(Math.max(i, 0), last);
const modulo = (a, b) => a - b * Math.floor(a / b);

function place(count, entry) {
  let best = 0;
  for (let i = 1; i < count; i++) if (entry(i) > entry(best)) best = i;
  return best;
}

function sorted(keys, values) {
  const order = Array.from(keys.keys()).sort((i, j) => keys[i] - keys[j]);
  return order.map(i => values[i]);
}

// Halves go to the even neighbour.
function round(x) {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

// Lanczos' approximation, with g = 7.
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];

function logGamma(x) {
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x);
  const t = x + 6.5;
  const series = LANCZOS.reduce((total, c, i) => (i ? total + c / (x - 1 + i) : c), 0);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series);
}

function digamma(x) {
  if (x <= 0) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * x);
  let result = 0;
  for (; x < 10; x++) result -= 1 / x;
  const s = 1 / (x * x);
  const series = s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132)))));
  return result + Math.log(x) - 0.5 / x - series;
}

function erf(x) {
  if (Math.abs(x) > 2.5) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let term = x;
  let total = x;
  for (let k = 1; k < 60; k++) {
    term *= (-x * x) / k;
    total += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

function erfc(x) {
  if (x < 2.5) return 1 - erf(x);
  // A continued fraction, from its far end.
  let tail = x;
  for (let k = 80; k > 0; k--) tail = x + k / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}

function erfInverse(p) {
  if (Math.abs(p) >= 1) return p * Infinity;
  const l = Math.log(1 - p * p);
  const a = 2 / (Math.PI * 0.147) + l / 2;
  let x = Math.sign(p) * Math.sqrt(Math.sqrt(a * a - l / 0.147) - a);
  for (let i = 0; i < 3; i++) x -= ((erf(x) - p) * Math.sqrt(Math.PI) * Math.exp(x * x)) / 2;
  return x;
}
