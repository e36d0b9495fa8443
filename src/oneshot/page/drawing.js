"use strict";
// Draw it yourself: the siamese net on the reader's own drawings. `prepare` makes a drawing like MNIST's images, as
// oneshot.use.digits does, and `embed` is the net; both are on `window.oneshot` for the tests and the curious.
(() => {
  const SIDE = 28;
  const BOX = 20;
  const CENTRE = 14;
  const LARGEST = 400;
  const net = Object.fromEntries(
    Object.entries(JSON.parse(document.getElementById("data").textContent).net).map(([name, { shape, step, values }]) => {
      const { buffer } = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
      const read = step === 1 ? new Float32Array(buffer) : Float32Array.from(new Int16Array(buffer), (value) => value * step);
      return [name, { shape, values: read }];
    }),
  );

  // ---- a drawing as the net takes it

  // Greys (height x width, 0..255) -> 28 x 28 Float32Array, 0 (paper) to 1 (ink); null if nothing is drawn.
  function prepare(greys, width) {
    let grey = { values: Float32Array.from(greys), width, height: greys.length / width };
    if (Math.max(grey.width, grey.height) > LARGEST) grey = fitted(grey, LARGEST);
    const ink = inked(grey);
    if (!ink) return null;
    let [left, right, top, bottom] = [ink.width, -1, ink.height, -1];
    ink.values.forEach((value, at) => {
      if (value <= Math.fround(0.1)) return;
      const [x, y] = [at % ink.width, Math.floor(at / ink.width)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    });
    const field = fitted({ values: cut(ink, left, right + 1, top, bottom + 1), width: right - left + 1, height: bottom - top + 1 }, BOX);
    const largest = field.values.reduce((one, other) => Math.max(one, other));
    field.values = field.values.map((value) => value / largest);
    return placed(field);
  }

  // The ink, 0 to 1, without the paper's shade, noise and specks; null if there is none.
  function inked({ values, width, height }) {
    const edge = Float64Array.from(values.filter((_, at) => at % width === 0 || at % width === width - 1 || at < width || at >= values.length - width)).sort();
    const border = (edge[(edge.length - 1) >> 1] + edge[edge.length >> 1]) / 2;
    const extreme = (choose, of) => of.reduce((one, other) => choose(one, other));
    const light = border - extreme(Math.min, values) > extreme(Math.max, values) - border;
    const grey = { values: light ? values : values.map((value) => 255 - value), width, height };
    const paper = paperOf(grey).map((value) => Math.max(value, 1));
    let ink = grey.values.map((value, at) => 1 - Math.fround(value / paper[at]));
    const [least, quarter] = [lowest(ink, 0.05), lowest(ink, 0.25)];
    const noise = Math.fround(5 * Math.fround(quarter - least));
    ink = ink.map((value) => (Math.fround(value - quarter) <= noise ? 0 : value - quarter));
    const pieces = connected(ink, width, Math.max(noise, 0.1 * extreme(Math.max, ink)));
    const masses = pieces.map((piece) => piece.reduce((sum, at) => sum + ink[at], 0));
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    pieces.forEach((piece, number) => {
      const speck = piece.length <= (Math.max(width, height) * 0.01) ** 2 || masses[number] < 0.02 * total;
      if (speck) piece.forEach((at) => (ink[at] = 0));
    });
    if (!pieces.length || extreme(Math.max, ink.map((value, at) => value * paper[at])) < 25) return null;
    const most = extreme(Math.max, ink);
    return { values: ink.map((value) => value / most), width, height };
  }

  // The paper's brightness: the 90th percentile in the half of the picture around 5 x 5 places, linear between them.
  function paperOf(grey) {
    const span = (place, side) => {
      const middle = ((2 * place + 1) * side) / 10;
      return [Math.max(0, Math.trunc(middle - side / 4)), Math.min(side, Math.trunc(middle + side / 4) + 1)];
    };
    const values = Float32Array.from({ length: 25 }, (_, at) =>
      lowest(cut(grey, ...span(at % 5, grey.width), ...span(Math.floor(at / 5), grey.height)), 0.9),
    );
    const wide = resized({ values, width: 5, height: 5 }, grey.width, false);
    return transposed(resized(transposed(wide), grey.height, false)).values;
  }

  function lowest(values, part) {
    return Float32Array.from(values).sort()[Math.trunc(part * (values.length - 1))];
  }

  // The values between two columns and two rows.
  function cut({ values, width }, left, right, top, bottom) {
    const part = new Float32Array((right - left) * (bottom - top));
    for (let y = top; y < bottom; y++) part.set(values.subarray(y * width + left, y * width + right), (y - top) * (right - left));
    return part;
  }

  // The places of each piece of what is above a threshold and touches, at corners too.
  function connected(ink, width, threshold) {
    const seen = new Uint8Array(ink.length);
    const pieces = [];
    ink.forEach((value, start) => {
      if (seen[start] || value <= threshold) return;
      const piece = [start];
      seen[start] = 1;
      for (const at of piece) {
        for (const [down, along] of [[-1, -1], [-1, 0], [-1, 1], [0, -1], [0, 1], [1, -1], [1, 0], [1, 1]]) {
          const [x, next] = [(at % width) + along, at + down * width + along];
          if (x < 0 || x >= width || next < 0 || next >= ink.length || seen[next] || ink[next] <= threshold) continue;
          seen[next] = 1;
          piece.push(next);
        }
      }
      pieces.push(piece);
    });
    return pieces;
  }

  // Shrink by means (or enlarge, linearly) so that the longer side has so many pixels, as Pillow does.
  function fitted(field, longest) {
    const longer = Math.max(field.width, field.height);
    const [width, height] = [field.width, field.height].map((side) => Math.max(1, rounded((side * longest) / longer)));
    return transposed(resized(transposed(resized(field, width, longer > longest)), height, longer > longest));
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

  // ---- the net: two convolutions with ReLU and pooling; then its whitened last maps, and a point in its plane

  // 28 x 28 Float32Array, 0 to 1 -> {vector: whitened last maps of length 1, point: in the plane, [x, y]}.
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
    return { vector: whitened(maps), point };
  }

  // Means of 3 x 3 overlapping cells, less the mean of seen digits, times a matrix, of which the lower triangle is here.
  function whitened({ values: maps, side }) {
    const { values: mean } = net["maps.mean"];
    const { values: matrix } = net["maps.whitening"];
    const made = new Float64Array(mean.length);
    for (let row = 0, at = 0; row < mean.length; row++) {
      const [cell, map] = [Math.floor(row / maps.length), maps[row % maps.length]];
      let sum = 0;
      for (let one = 0; one < 9; one++) {
        sum += map[(2 * Math.floor(cell / 3) + Math.floor(one / 3)) * side + 2 * (cell % 3) + (one % 3)];
      }
      for (let column = 0; column <= row; column++, at++) made[column] += (sum / 9 - mean[row]) * matrix[at];
    }
    const length = Math.hypot(...made) || 1;
    return made.map((value) => value / length);
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

  const [pad, plane, verdict, name, right, list] = ["pad", "plane", "looks", "pad-name", "pad-right", "symbols"].map((id) =>
    document.getElementById(id),
  );
  const pen = pad.getContext("2d", { willReadFrequently: true });
  const buttons = Object.fromEntries(
    ["add", "next", "example", "clear", "restart"].map((id) => [id, document.getElementById(`pad-${id}`)]),
  );
  const colours = pad.dataset.colours.split(",");
  // Of each symbol its name and its examples; of each later drawing, the symbol that it was classified as.
  let symbols = [];
  let others = [];
  let present = null;
  let done = ""; // what became of the last drawing

  function wipe(result = "") {
    [done, present, name.value] = [result, null, ""];
    pen.fillStyle = "white";
    pen.fillRect(0, 0, pad.width, pad.height);
    show();
  }

  // The symbols by the distance of the mean of their examples.
  function nearest({ vector }) {
    const order = symbols.map(({ examples }, symbol) => {
      const squares = vector.map((value, unit) => {
        const sum = examples.reduce((sum, example) => sum + example.vector[unit], 0);
        return (value - sum / examples.length) ** 2;
      });
      return { symbol, distance: Math.sqrt(squares.reduce((one, other) => one + other)) };
    });
    return order.sort((one, other) => one.distance - other.distance || one.symbol - other.symbol);
  }

  // What is drawn on a canvas, as the net sees it; null if it is empty.
  function seen(canvas) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const greys = Float32Array.from({ length: data.length / 4 }, (_, at) => {
      const [red, green, blue] = data.subarray(4 * at);
      return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    });
    const image = prepare(greys, canvas.width);
    return image && { image, ...embed(image) };
  }

  function look() {
    present = seen(pad);
    if (present && symbols.length) right.value = nearest(present)[0].symbol;
    show();
  }

  function say() {
    if (!present) {
      if (symbols.length < 2) return `${done}Draw a symbol of your own${symbols.length ? ", another one" : ""}.`;
      return `${done}Draw one of your symbols again: to which one is it nearest?`;
    }
    const [first, second] = nearest(present);
    if (!second) return "Name it and press “New symbol”, to make it the example of its kind.";
    const [near, far] = [first, second].map(({ symbol, distance }) => `${symbols[symbol].name}, distance ${distance.toFixed(2)}`);
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
      ...symbols.flatMap(({ examples }, symbol) => examples.map(({ point }) => ({ point, symbol, radius: 9, kind: "example" }))),
    ];
    if (present) marks.push({ point: present.point, symbol: nearest(present)[0]?.symbol, radius: 7, kind: "present" });
    const ends = [0, 1].map((axis) => {
      const values = marks.map(({ point }) => point[axis]);
      return values.length ? [Math.min(...values), Math.max(...values)] : [0, 0];
    });
    const span = Math.max(1, ...ends.map(([low, high]) => 1.4 * (high - low)));
    const [across, up] = ends.map(([low, high]) => (low + high) / 2);
    const place = ([x, y]) => [150 + (280 * (x - across)) / span, 150 - (280 * (y - up)) / span];
    const dots = marks.map(({ point, symbol, radius, kind }) => {
      const [cx, cy] = place(point);
      return shape("circle", { cx, cy, r: radius, fill: colours[symbol] ?? "none", class: kind });
    });
    // Names stand below their examples, over all dots, and further down where another name is.
    const taken = [];
    const names = marks.filter(({ kind }) => kind === "example").map(({ point, symbol }) => {
      const text = shape("text", { "text-anchor": "middle" });
      text.textContent = symbols[symbol].name;
      let [x, y] = place(point);
      y += 22;
      const half = 4.5 * text.textContent.length;
      x = Math.min(Math.max(x, half), 300 - half);
      const meets = (one) => Math.abs(one.x - x) < one.half + half && Math.abs(one.y - y) < 15;
      while (taken.some(meets)) y += 1;
      taken.push({ x, y, half });
      text.setAttribute("x", x);
      text.setAttribute("y", y);
      return text;
    });
    plane.setAttribute("viewBox", `0 0 300 ${Math.max(300, ...taken.map(({ y }) => y + 6))}`);
    plane.replaceChildren(...dots, ...names);
  }

  function show() {
    const order = present ? nearest(present) : [];
    verdict.textContent = say();
    verdict.dataset.vector = present ? present.vector.join(",") : "";
    verdict.dataset.nearest = order.map(({ symbol }) => symbols[symbol].name).join(" ");
    const wrong = order.length > 0 && Number(right.value) !== order[0].symbol;
    buttons.add.disabled = !present || symbols.length === colours.length;
    buttons.next.disabled = order.length < 2;
    buttons.example.disabled = right.disabled = !order.length;
    buttons.example.textContent = wrong ? "Wrong: learn it" : "Another example";
    showPlane();
    list.replaceChildren(
      ...symbols.map(({ name, examples }, symbol) => {
        const line = document.createElement("li");
        const label = document.createElement("b");
        label.textContent = name;
        label.style.setProperty("--chosen", colours[symbol]);
        const same = others.filter((other) => other.symbol === symbol);
        line.append(label, ...examples.map(({ image }) => thumbnail(image, `an example of ${name}`)));
        line.append(...same.map(({ image }) => thumbnail(image, `classified as ${name}`)));
        line.querySelectorAll("canvas").forEach((small, at) => small.classList.toggle("example", at < examples.length));
        return line;
      }),
    );
  }

  // Examples have changed: what was classified before is classified again.
  function changed() {
    right.replaceChildren(...symbols.map(({ name }, symbol) => new Option(name, symbol)));
    others = others.map((other) => ({ ...other, symbol: nearest(other)[0].symbol }));
  }

  function newSymbol(called) {
    let free = called.trim() || String.fromCharCode(65 + symbols.length);
    while (symbols.some((symbol) => symbol.name === free)) free += "′";
    symbols.push({ name: free, examples: [present] });
    changed();
    wipe(`${free} is a new symbol. `);
  }

  function classified() {
    const [{ symbol }] = nearest(present);
    others.push({ ...present, symbol });
    wipe(`Classified as ${symbols[symbol].name}. `);
  }

  // The reader's pictures: one comes onto the pad; of several the first two become symbols, the rest is classified.
  async function take(files) {
    const failed = [];
    for (const file of files) {
      try {
        const picture = await createImageBitmap(file);
        const scale = Math.min(1, 1200 / Math.max(picture.width, picture.height));
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [picture.width, picture.height].map((side) => Math.max(2, Math.round(side * scale)));
        const brush = canvas.getContext("2d", { willReadFrequently: true });
        let found;
        for (const paper of ["white", "black"]) {
          // White ink on a transparent ground is seen on black.
          brush.fillStyle = paper;
          brush.fillRect(0, 0, canvas.width, canvas.height);
          brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
          if ((found = seen(canvas))) break;
        }
        if (!found) throw new Error("nothing is drawn on it");
        present = found;
        pen.fillStyle = "white";
        pen.fillRect(0, 0, pad.width, pad.height);
        pen.drawImage(thumbnail(present.image, ""), 0, 0, pad.width, pad.height);
      } catch {
        failed.push(file.name);
        continue;
      }
      const called = file.name.replace(/\.[^.]*$/, "").slice(0, name.maxLength);
      if (files.length > 1 && symbols.length < 2) newSymbol(called);
      else if (files.length > 1) classified();
      else name.value = called;
    }
    if (present && symbols.length) right.value = nearest(present)[0].symbol;
    show();
    if (failed.length) verdict.textContent = `No drawing was found in ${failed.join(", ")}. ${verdict.textContent}`;
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
  // Who cannot draw can type: the character is drawn.
  pad.addEventListener("keydown", (event) => {
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    pen.fillStyle = "white";
    pen.fillRect(0, 0, pad.width, pad.height);
    [pen.fillStyle, pen.font, pen.textAlign, pen.textBaseline] = ["black", "200px sans-serif", "center", "middle"];
    pen.fillText(event.key, pad.width / 2, pad.height / 2);
    look();
  });
  buttons.add.addEventListener("click", () => newSymbol(name.value));
  buttons.next.addEventListener("click", classified);
  buttons.example.addEventListener("click", () => {
    const symbol = symbols[right.value];
    symbol.examples.push(present);
    changed();
    wipe(`${symbol.name} has ${symbol.examples.length} examples. `);
  });
  right.addEventListener("change", show);
  buttons.clear.addEventListener("click", () => wipe());
  buttons.restart.addEventListener("click", () => {
    [symbols, others] = [[], []];
    changed();
    wipe();
  });
  // Pictures are taken one after the other, also if more come while some are read.
  let taking = Promise.resolve();
  const queue = (files) => (taking = taking.then(() => take(files)));
  const chooser = document.getElementById("pad-files");
  chooser.addEventListener("change", () => {
    queue([...chooser.files]);
    chooser.value = "";
  });
  // A picture may be dropped anywhere: the browser would leave the page for it.
  const pictures = (event) => event.dataTransfer.types.includes("Files");
  document.addEventListener("dragover", (event) => pictures(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!pictures(event)) return;
    event.preventDefault();
    pad.scrollIntoView({ block: "center" });
    queue([...event.dataTransfer.files]);
  });
  wipe();
})();
