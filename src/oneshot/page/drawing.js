"use strict";
// Draw it yourself: the siamese net on the reader's own drawings. `prepare` makes a drawing like MNIST's images, as
// oneshot.use.digits does, and `embed` is the net; both are on `window.oneshot` for the tests and the curious.
(() => {
  const SIDE = 28;
  const BOX = 20;
  const CENTRE = 14;
  const net = Object.fromEntries(
    Object.entries(JSON.parse(document.getElementById("data").textContent).net).map(([name, { shape, values }]) => {
      const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
      return [name, { shape, values: new Float32Array(bytes.buffer) }];
    }),
  );

  // ---- a drawing as the net takes it

  // Greys (height x width, 0..255) -> 28 x 28 Float32Array, 0 (paper) to 1 (ink); null if nothing is drawn.
  function prepare(greys, width) {
    const height = greys.length / width;
    const border = greys.filter((_, at) => {
      const [x, y] = [at % width, Math.floor(at / width)];
      return x === 0 || y === 0 || x === width - 1 || y === height - 1;
    });
    const sorted = Float64Array.from(border).sort();
    const paper = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
    let [low, high] = [Infinity, -Infinity];
    for (const grey of greys) [low, high] = [Math.min(low, grey), Math.max(high, grey)];
    const sign = paper - low > high - paper ? -1 : 1;
    const most = Math.max(paper - low, high - paper);
    if (most < 25) return null;
    const ink = Float32Array.from(greys, (grey) => Math.max(sign * (grey - paper), 0) / most);

    let [left, right, top, bottom] = [width, -1, height, -1];
    ink.forEach((value, at) => {
      if (value <= Math.fround(0.1)) return;
      const [x, y] = [at % width, Math.floor(at / width)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    });
    let field = { values: [], width: right - left + 1, height: bottom - top + 1 };
    for (let y = top; y <= bottom; y++) field.values.push(...ink.subarray(y * width + left, y * width + right + 1));
    field = fitted(field);
    const largest = field.values.reduce((one, other) => Math.max(one, other));
    field.values = field.values.map((value) => value / largest);
    return placed(field);
  }

  // Shrink by means (or enlarge, linearly) so that the longer side has 20 pixels, as Pillow does.
  function fitted(field) {
    const longer = Math.max(field.width, field.height);
    const [width, height] = [field.width, field.height].map((side) => Math.max(1, rounded((side * BOX) / longer)));
    return transposed(resized(transposed(resized(field, width, longer > BOX)), height, longer > BOX));
  }

  // Resize the rows; each new pixel is a weighted mean of old ones: of those nearest to it, or by a triangle.
  function resized(field, width, means) {
    const scale = field.width / width;
    const stretch = Math.max(scale, 1);
    const support = (means ? 0.5 : 1) * stretch;
    const values = new Float32Array(width * field.height);
    for (let x = 0; x < width; x++) {
      const centre = (x + 0.5) * scale;
      const first = Math.max(0, Math.trunc(centre - support + 0.5));
      const end = Math.min(field.width, Math.trunc(centre + support + 0.5));
      const weights = [];
      for (let at = first; at < end; at++) {
        const distance = (at - centre + 0.5) / stretch;
        weights.push(means ? Number(distance > -0.5 && distance <= 0.5) : Math.max(0, 1 - Math.abs(distance)));
      }
      const total = weights.reduce((one, other) => one + other);
      for (let y = 0; y < field.height; y++) {
        let sum = 0;
        weights.forEach((weight, at) => (sum += (weight / total) * field.values[y * field.width + first + at]));
        values[y * width + x] = sum;
      }
    }
    return { values, width, height: field.height };
  }

  function transposed({ values, width, height }) {
    const turned = new Float32Array(values.length);
    values.forEach((value, at) => (turned[(at % width) * height + Math.floor(at / width)] = value));
    return { values: turned, width: height, height: width };
  }

  // Halves to the even number, as Python rounds.
  function rounded(value) {
    const below = Math.floor(value);
    return value - below === 0.5 ? below + (below % 2) : Math.round(value);
  }

  // Put the centre of mass into the centre of 28 x 28, by whole pixels.
  function placed(field) {
    const start = ({ values, width, height }) => {
      let [mass, moment] = [0, 0];
      values.forEach((value, at) => {
        mass += value;
        moment += value * (at % width);
      });
      const wanted = Math.round((CENTRE - moment / mass + 0.5) * 1e4) / 1e4;
      return Math.min(Math.max(Math.floor(wanted), 0), SIDE - width);
    };
    const [left, top] = [start(field), start(transposed(field))];
    const image = new Float32Array(SIDE * SIDE);
    field.values.forEach((value, at) => {
      image[(top + Math.floor(at / field.width)) * SIDE + left + (at % field.width)] = value;
    });
    return image;
  }

  // ---- the net: two convolutions with ReLU and pooling, and a dense layer of two units

  // 28 x 28 Float32Array, 0 to 1 -> the point in the plane, [x, y].
  function embed(image) {
    let maps = { values: [image], side: SIDE };
    for (const layer of ["conv1", "conv2"]) {
      maps = pooled(convolved(maps, net[`${layer}.kernel`], net[`${layer}.bias`].values));
    }
    const { shape, values } = net["embedding.kernel"];
    const point = Array.from(net["embedding.bias"].values);
    maps.values.forEach((map, channel) =>
      map.forEach((value, cell) => {
        const row = (cell * maps.values.length + channel) * shape[1];
        point.forEach((_, unit) => (point[unit] += value * values[row + unit]));
      }),
    );
    return point;
  }

  function convolved({ values: maps, side }, kernel, biases) {
    const [outputs, inputs, size] = kernel.shape;
    const before = (size - 1) >> 1;
    const made = [];
    for (let output = 0; output < outputs; output++) {
      const sums = new Float64Array(side * side).fill(biases[output]);
      for (let input = 0; input < inputs; input++) {
        const map = maps[input];
        for (let row = 0; row < size; row++) {
          for (let column = 0; column < size; column++) {
            const weight = kernel.values[((output * inputs + input) * size + row) * size + column];
            const [down, along] = [row - before, column - before];
            for (let y = Math.max(0, -down); y < Math.min(side, side - down); y++) {
              const from = (y + down) * side + along;
              for (let x = Math.max(0, -along); x < Math.min(side, side - along); x++) {
                sums[y * side + x] += weight * map[from + x];
              }
            }
          }
        }
      }
      made.push(sums);
    }
    return { values: made, side };
  }

  // The largest of each two by two, and of 0, which is the ReLU before it.
  function pooled({ values: maps, side }) {
    const half = side >> 1;
    const small = maps.map((map) => {
      const cells = new Float64Array(half * half);
      cells.forEach((_, cell) => {
        const at = 2 * Math.floor(cell / half) * side + 2 * (cell % half);
        cells[cell] = Math.max(0, map[at], map[at + 1], map[at + side], map[at + side + 1]);
      });
      return cells;
    });
    return { values: small, side: half };
  }

  window.oneshot = { prepare, embed };

  // ---- the pad, the symbols and the plane

  const pad = document.getElementById("pad");
  const pen = pad.getContext("2d", { willReadFrequently: true });
  const plane = document.getElementById("plane");
  const verdict = document.getElementById("looks");
  const [add, next, clear, restart] = ["add", "next", "clear", "restart"].map((id) => document.getElementById(`pad-${id}`));
  const colours = pad.dataset.colours.split(",");
  // Of each symbol its example, and of each later drawing its place and the symbol that it was classified as.
  let symbols = [];
  let others = [];
  let present = null;
  let done = ""; // what became of the last drawing

  function wipe(result = "") {
    done = result;
    pen.fillStyle = "white";
    pen.fillRect(0, 0, pad.width, pad.height);
    present = null;
    show();
  }

  function nearest(point) {
    const order = symbols.map(({ point: other }, symbol) => ({
      symbol,
      distance: Math.hypot(point[0] - other[0], point[1] - other[1]),
    }));
    return order.sort((one, other) => one.distance - other.distance || one.symbol - other.symbol);
  }

  function look() {
    const { data } = pen.getImageData(0, 0, pad.width, pad.height);
    const image = prepare(
      Array.from({ length: pad.width * pad.height }, (_, at) => data[4 * at]),
      pad.width,
    );
    present = image && { image, point: embed(image) };
    show();
  }

  function letter(symbol) {
    return String.fromCharCode(65 + symbol);
  }

  function say() {
    if (!present) {
      if (symbols.length < 2) return `${done}Draw a symbol of your own${symbols.length ? ", another one" : ""}.`;
      return `${done}Draw one of your symbols again: to which example is it nearest?`;
    }
    const [first, second] = nearest(present.point);
    if (!second) return "Press “New symbol” to make it the only example of its kind.";
    const [near, far] = [first, second].map(({ symbol, distance }) => `${letter(symbol)}, distance ${distance.toFixed(2)}`);
    return `Nearest: ${near}; next: ${far}.`;
  }

  function thumbnail(image, label) {
    const small = document.createElement("canvas");
    small.setAttribute("role", "img");
    small.setAttribute("aria-label", label);
    [small.width, small.height] = [SIDE, SIDE];
    const pixels = small.getContext("2d").createImageData(SIDE, SIDE);
    image.forEach((ink, at) => pixels.data.set([0, 0, 0].fill(255 * (1 - ink)).concat(255), 4 * at));
    small.getContext("2d").putImageData(pixels, 0, 0);
    return small;
  }

  function shape(kind, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  function showPlane() {
    const marks = [
      ...others.map(({ point, symbol }) => ({ point, symbol, radius: 5, kind: "other" })),
      ...symbols.map(({ point }, symbol) => ({ point, symbol, radius: 12, kind: "example" })),
    ];
    if (present) marks.push({ point: present.point, symbol: nearest(present.point)[0]?.symbol, radius: 7, kind: "present" });
    const all = marks.map(({ point }) => point);
    const ends = [0, 1].map((axis) => {
      const values = all.map((point) => point[axis]);
      return values.length ? [Math.min(...values), Math.max(...values)] : [0, 0];
    });
    const span = Math.max(1, ...ends.map(([low, high]) => 1.25 * (high - low)));
    const [across, up] = ends.map(([low, high]) => (low + high) / 2);
    plane.replaceChildren(
      ...marks.flatMap(({ point, symbol, radius, kind }) => {
        const [cx, cy] = [150 + (280 * (point[0] - across)) / span, 150 - (280 * (point[1] - up)) / span];
        const dot = shape("circle", { cx, cy, r: radius, fill: colours[symbol] ?? "none", class: kind });
        if (kind !== "example") return [dot];
        const name = shape("text", { x: cx, y: cy + 5, "text-anchor": "middle" });
        name.textContent = letter(symbol);
        return [dot, name];
      }),
    );
  }

  function show() {
    verdict.textContent = say();
    verdict.dataset.point = present ? present.point.join(",") : "";
    verdict.dataset.nearest = present ? nearest(present.point).map(({ symbol }) => letter(symbol)).join("") : "";
    add.disabled = !present || symbols.length === colours.length;
    next.disabled = !present || symbols.length < 2;
    showPlane();
    document.getElementById("symbols").replaceChildren(
      ...symbols.map(({ image }, symbol) => {
        const line = document.createElement("li");
        const name = document.createElement("b");
        name.textContent = letter(symbol);
        name.style.setProperty("--chosen", colours[symbol]);
        const same = others.filter((other) => other.symbol === symbol).map((other) => thumbnail(other.image, `classified as ${letter(symbol)}`));
        line.append(name, thumbnail(image, `the example of ${letter(symbol)}`), ...same);
        return line;
      }),
    );
  }

  function at(event) {
    const frame = pad.getBoundingClientRect();
    const scale = pad.width / frame.width;
    return [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
  }

  pad.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    pad.setPointerCapture(event.pointerId);
    [pen.lineWidth, pen.lineCap, pen.lineJoin, pen.strokeStyle] = [20, "round", "round", "black"];
    pen.beginPath();
    pen.moveTo(...at(event));
    pen.lineTo(...at(event));
    pen.stroke();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!event.isPrimary || !pad.hasPointerCapture(event.pointerId)) return;
    pen.lineTo(...at(event));
    pen.stroke();
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    pad.addEventListener(kind, (event) => event.isPrimary && look());
  }
  add.addEventListener("click", () => {
    symbols.push(present);
    others = others.map((other) => ({ ...other, symbol: nearest(other.point)[0].symbol }));
    wipe();
  });
  next.addEventListener("click", () => {
    const [{ symbol }] = nearest(present.point);
    others.push({ ...present, symbol });
    wipe(`Classified as ${letter(symbol)}. `);
  });
  clear.addEventListener("click", () => wipe());
  restart.addEventListener("click", () => {
    [symbols, others] = [[], []];
    wipe();
  });
  wipe();
})();
