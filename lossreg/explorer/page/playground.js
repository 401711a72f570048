// Two classes of points, and a linear model of each loss.
const playground = (() => {
  const WIDTH = 6;
  const HEIGHT = 4;
  const ROUNDS = 400;
  const STEP = 0.1;
  const DECAY = 0.002;
  // Two clouds, side by side; the first twelve have label 1.
  const FIRST = [
    [1.1, 0.9], [1.9, 0.4], [0.6, 1.4], [2.3, 1.2], [1.4, -0.3], [0.9, 0.2], [2.0, -0.8], [1.6, 1.6],
    [0.2, 0.8], [2.5, 0.1], [1.2, -1.1], [0.5, -0.4],
    [-1.2, -0.6], [-1.8, 0.3], [-0.7, -1.3], [-2.2, -1.0], [-1.5, 0.9], [-0.9, 0.1], [-2.4, 0.6],
    [-1.1, 1.4], [-0.2, -0.7], [-1.9, -1.5], [-0.4, 0.5], [0.3, -1.2],
  ].map(([x, y], i) => ({ x, y, label: i < 12 ? 1 : 0 }));
  const SHAPES = { 1: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0Z", 0: "M-7 -7H7V7H-7Z" };
  let points = structuredClone(FIRST);
  let dragged = null;
  // The marks stay while they are drawn anew, or one would lose the focus.
  const lines = drawing("g", {});
  const marks = FIRST.map((_, index) => mark(index));

  // Full batches and Adam, from zero, so that the same points give the same boundary.
  function train(run) {
    const weights = [0, 0, 0];
    const mean = [0, 0, 0];
    const spread = [0, 0, 0];
    for (let round = 1; round <= ROUNDS; round++) {
      const total = [DECAY * weights[0], DECAY * weights[1], 0];
      for (const { x, y, label } of points) {
        const pull = run(weights[0] * x + weights[1] * y + weights[2], label)[1] / points.length;
        if (!Number.isFinite(pull)) continue;
        total[0] += pull * x;
        total[1] += pull * y;
        total[2] += pull;
      }
      for (let i = 0; i < 3; i++) {
        mean[i] = 0.9 * mean[i] + 0.1 * total[i];
        spread[i] = 0.99 * spread[i] + 0.01 * total[i] ** 2;
        const pace = Math.sqrt(spread[i] / (1 - 0.99 ** round)) + 1e-12;
        weights[i] -= (STEP * mean[i]) / (1 - 0.9 ** round) / pace / (1 + round / 100);
      }
    }
    return weights;
  }

  function judge(run, [a, b, c]) {
    let loss = 0;
    let right = 0;
    for (const { x, y, label } of points) {
      const score = a * x + b * y + c;
      loss += run(score, label)[0] / points.length;
      right += Number(score > 0) === label;
    }
    return { loss, right };
  }

  const across = x => ((x / WIDTH + 0.5) * 600).toFixed(1);
  const up = y => ((0.5 - y / HEIGHT) * 400).toFixed(1);

  // The part of the boundary a*x + b*y + c = 0 that is seen.
  function boundary([a, b, c]) {
    if (Math.hypot(a, b) < 1e-9) return "";
    const far = 20;
    const [nx, ny] = [a / Math.hypot(a, b), b / Math.hypot(a, b)];
    const distance = -c / Math.hypot(a, b);
    const [x, y] = [nx * distance, ny * distance];
    return `M${across(x - ny * far)} ${up(y + nx * far)}L${across(x + ny * far)} ${up(y - nx * far)}`;
  }

  function draw() {
    const isShown = group() === "class";
    byId("playground-empty").hidden = isShown;
    byId("playground-body").hidden = !isShown;
    if (!isShown) return;
    const parts = [
      drawing("line", { class: "grid", x1: 300, x2: 300, y1: 0, y2: 400 }),
      drawing("line", { class: "grid", x1: 0, x2: 600, y1: 200, y2: 200 }),
    ];
    const rows = [];
    state.slots.forEach((slot, index) => {
      const run = program(slot, 2);
      const head = element("th", { scope: "row" }, swatch(index), callText(slot));
      if (!run) {
        rows.push(element("tr", {}, head, element("td", { colspan: 3 }, "no program for two classes")));
        return;
      }
      const weights = train(run);
      const { loss, right } = judge(run, weights);
      parts.push(drawing("path", {
        class: "curve", style: `--color: var(--series-${index})`, "stroke-dasharray": DASHES[index],
        d: boundary(weights),
      }));
      const [a, b, c] = weights.map((weight, i) =>
        (i && weight < 0 ? `− ${written(-weight)}` : `${i ? "+ " : ""}${written(weight)}`));
      rows.push(element("tr", {}, head,
        element("td", { class: "number" }, written(loss)),
        element("td", { class: "number" }, `${right} of ${points.length}`),
        element("td", {}, `${a}·x ${b}·y ${c} = 0`)));
    });
    lines.replaceChildren(...parts);
    points.forEach(updateMark);
    byId("models").tBodies[0].replaceChildren(...rows);
  }

  function mark(index) {
    const made = drawing("g", { tabindex: 0, role: "button" });
    made.append(drawing("path", {}));
    made.addEventListener("keydown", event => press(event, index));
    made.addEventListener("pointerdown", event => {
      event.preventDefault();
      made.focus();
      dragged = index;
      byId("field").setPointerCapture(event.pointerId);
    });
    return made;
  }

  function updateMark({ x, y, label }, index) {
    const made = marks[index];
    const name = label ? "circle, label 1" : "square, label 0";
    made.setAttribute("class", `sample ${label ? "one" : "two"}`);
    made.setAttribute("transform", `translate(${across(x)} ${up(y)})`);
    made.setAttribute("aria-label", `Point ${index + 1}, ${name}, at ${written(x)}, ${written(y)}`);
    made.firstElementChild.setAttribute("d", SHAPES[label]);
  }

  const MOVES = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };

  function press(event, index) {
    const point = points[index];
    if (event.key in MOVES) {
      const [x, y] = MOVES[event.key];
      move(point, point.x + x, point.y + y);
    } else if (event.key === "Enter" || event.key === " ") {
      point.label = 1 - point.label;
    } else {
      return;
    }
    event.preventDefault();
    redraw();
  }

  function move(point, x, y) {
    const inside = (value, edge) => Number(Math.min(Math.max(value, -edge), edge).toFixed(2));
    point.x = inside(x, WIDTH / 2 - 0.1);
    point.y = inside(y, HEIGHT / 2 - 0.1);
  }

  let isWaiting = false;
  function redraw() {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      draw();
      remember();
    });
  }

  function listen() {
    const svg = byId("field");
    svg.setAttribute("viewBox", "0 0 600 400");
    svg.append(lines, ...marks);
    svg.addEventListener("pointermove", event => {
      if (dragged === null) return;
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width - 0.5) * WIDTH;
      const y = (0.5 - (event.clientY - box.top) / box.height) * HEIGHT;
      move(points[dragged], x, y);
      redraw();
    });
    svg.addEventListener("lostpointercapture", () => { dragged = null; });
    const change = (id, act) =>
      byId(id).addEventListener("click", () => {
        act();
        redraw();
      });
    change("outlier", () => move(points[0], -2.8, -1.8));
    change("mislabel", () => { points[3].label = 1 - points[3].label; });
    change("reset", () => { points = structuredClone(FIRST); });
  }

  const text = () => points.map(({ x, y, label }) => `${x},${y},${label}`).join(" ");
  const usual = text();

  function read(given) {
    points = structuredClone(FIRST);
    (given ?? "").split(" ").slice(0, points.length).forEach((part, i) => {
      const [x, y, label] = part.split(",").map(Number);
      if (![x, y].every(Number.isFinite) || ![0, 1].includes(label)) return;
      move(points[i], x, y);
      points[i].label = label;
    });
  }

  return { draw, listen, read, text, isChanged: () => text() !== usual };
})();

const drawPlayground = playground.draw;

listRest();
if (LOSSES.length) {
  listen();
  playground.listen();
  restore();
}
