"use strict";
(() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // ---- charts: drawn in the page's colours when they scroll near the screen

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  function themed(chart, narrow) {
    const [text, muted, line, raised, accent] = ["text", "muted", "line", "raised", "accent"].map(colour);
    const layout = structuredClone(chart.layout);
    const data = structuredClone(chart.data);
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: muted, tickcolor: muted, automargin: true };
    Object.assign(layout, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: text, size: 13, family: getComputedStyle(document.body).fontFamily },
      margin: { l: 56, r: 14, t: 10, b: 48 },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, itemsizing: "constant" },
      hoverlabel: { bgcolor: raised, bordercolor: muted, font: { color: text } },
      dragmode: layout.scene ? "orbit" : false,
      uirevision: "kept",
    });
    for (const key of Object.keys(layout)) {
      if (/^[xy]axis/.test(key)) layout[key] = { ...axis, ...layout[key] };
    }
    if (narrow && layout.yaxis?.type === "category") layout.yaxis.tickfont = { size: 10 };
    if (layout.scene) {
      layout.margin = { l: 0, r: 0, t: 0, b: 0 };
      // Move the camera back so that the axes' titles stay inside.
      if (narrow) for (const axis of "xyz") layout.scene.camera.eye[axis] *= 1.55;
      for (const key of ["xaxis", "yaxis", "zaxis"]) {
        layout.scene[key] = { gridcolor: line, zerolinecolor: muted, linecolor: muted, ...layout.scene[key] };
      }
    }
    for (const trace of data) {
      // Long names of methods would leave no room for the plot.
      if (narrow && layout.yaxis?.type === "category") trace.y = trace.y.map((name) => name.replaceAll(", ", ",<br>"));
      if (trace.type === "heatmap") trace.colorscale = [[0, raised], [1, accent]];
      if (trace.type === "scatter" && trace.mode === "markers" && trace.marker.line) trace.marker.line.color = muted;
      if (trace.error_y) trace.error_y.color = text;
    }
    return [data, layout, { displayModeBar: false, responsive: true, scrollZoom: false }];
  }

  async function draw(plot, width) {
    const first = !plot.dataset.drawn;
    plot.dataset.drawn = "yes";
    const [data, layout, settings] = themed(page.charts[plot.dataset.chart], plot.clientWidth < 420);
    await Plotly.react(plot, data, { ...layout, width }, settings);
    if (first && plot.dataset.sheet) {
      plot.on("plotly_hover", (hover) => peek(plot, hover));
      plot.on("plotly_unhover", () => (document.getElementById("peek").hidden = true));
    }
  }

  const plots = [...document.querySelectorAll(".plot")];
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((entry) => entry.isIntersecting)) {
        watcher.unobserve(entry.target);
        draw(entry.target);
      }
    },
    { rootMargin: "600px" },
  );
  plots.forEach((plot) => watcher.observe(plot));
  // A print has all charts, as wide as a sheet of paper.
  addEventListener("beforeprint", () => plots.forEach((plot) => draw(plot, 640)));
  addEventListener("afterprint", () => plots.forEach((plot) => draw(plot)));
  dark.addEventListener("change", () => plots.filter((plot) => plot.dataset.drawn).forEach((plot) => draw(plot)));

  function peek(plot, hover) {
    const box = document.getElementById("peek");
    const point = hover.points[0];
    place(box.querySelector(".tile"), plot.dataset.sheet, point.customdata, 96);
    document.getElementById("peek-name").textContent = point.data.name;
    box.hidden = false;
    const frame = plot.getBoundingClientRect();
    const at = hover.event && "clientX" in hover.event ? hover.event : { clientX: frame.left, clientY: frame.top };
    box.style.left = `${Math.max(4, Math.min(at.clientX + 18, innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${Math.max(4, Math.min(at.clientY + 18, innerHeight - box.offsetHeight - 8))}px`;
  }

  function place(tile, sheet, position, size) {
    const columns = page.columns[sheet];
    tile.style.setProperty("--sheet", `var(--sheet-${sheet})`);
    tile.style.setProperty("--columns", columns);
    tile.style.setProperty("--x", position % columns);
    tile.style.setProperty("--y", Math.floor(position / columns));
    tile.style.setProperty("--size", `${size}px`);
  }

  // Turn a 3-D view by degrees around its axis and up, as dragging does.
  for (const group of document.querySelectorAll(".turn")) {
    const plot = document.getElementById(group.dataset.turns);
    group.addEventListener("click", (event) => {
      const by = event.target.dataset.by;
      if (!by || !plot.dataset.drawn) return;
      const [around, up] = by.split(",").map((degrees) => (degrees * Math.PI) / 180);
      const { x, y, z } = plot.layout.scene.camera.eye;
      const flat = Math.hypot(x, y);
      const radius = Math.hypot(flat, z);
      const angle = Math.atan2(y, x) + around;
      const height = Math.max(-1.5, Math.min(1.5, Math.atan2(z, flat) + up));
      const eye = {
        x: radius * Math.cos(height) * Math.cos(angle),
        y: radius * Math.cos(height) * Math.sin(angle),
        z: radius * Math.sin(height),
      };
      Plotly.relayout(plot, { "scene.camera.eye": eye });
    });
  }

  // ---- try it: the nearest example by integer distances, as in oneshot.page.nearest.classify

  const chooser = document.getElementById("set");
  let tried, codes, supports;

  function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function tile(position, size, attributes) {
    const node = element("span", { class: "tile", ...attributes });
    place(node, tried.sheet, tried.tiles[position], size);
    return node;
  }

  function unpack(set) {
    const bytes = Uint8Array.from(atob(set.codes), (letter) => letter.charCodeAt(0));
    return set.labels.map((_, row) => bytes.subarray(row * set.dimensions, (row + 1) * set.dimensions));
  }

  function classify() {
    return codes.map((code, position) => {
      if (supports.includes(position)) return -1;
      let best = -1;
      let least = Infinity;
      supports.forEach((support, way) => {
        const other = codes[support];
        let square = 0;
        for (let unit = 0; unit < code.length; unit++) square += (code[unit] - other[unit]) ** 2;
        if (square < least) [best, least] = [way, square];
      });
      return best;
    });
  }

  function show() {
    const names = tried.classes.map((one) => one.name);
    const found = classify();
    const matrix = names.map(() => names.map(() => 0));
    const wrong = new Map();
    found.forEach((predicted, position) => {
      if (predicted < 0) return;
      const truth = tried.labels[position];
      matrix[truth][predicted] += 1;
      if (predicted === truth) return;
      const key = truth * names.length + predicted;
      wrong.set(key, [...(wrong.get(key) ?? []), position]);
    });
    const total = matrix.flat().reduce((sum, count) => sum + count, 0);
    const right = matrix.reduce((sum, row, way) => sum + row[way], 0);
    const verdict = document.getElementById("accuracy");
    verdict.textContent = `${((100 * right) / total).toFixed(1)}% correct: ${right} of ${total} images`;
    Object.assign(verdict.dataset, { right, total, predictions: found.join(","), supports: supports.join(",") });

    const table = document.getElementById("matrix");
    const columns = names.map((name) => element("th", { scope: "col" }, name));
    const head = element("tr", {}, element("td", {}, "true class ↓ predicted →"), ...columns);
    const rows = matrix.map((row, way) => {
      const queries = row.reduce((sum, count) => sum + count, 0);
      const cells = row.map((count, column) => {
        const share = Math.round((50 * count) / Math.max(queries, 1));
        const style = `background: color-mix(in srgb, var(--accent) ${share}%, transparent)`;
        return element("td", { style, class: way === column ? "right" : "" }, String(count));
      });
      return element("tr", {}, element("th", { scope: "row" }, names[way]), ...cells);
    });
    table.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));

    const groups = [...wrong.entries()].sort((one, other) => other[1].length - one[1].length || one[0] - other[0]);
    document.getElementById("wrong").replaceChildren(
      ...groups.flatMap(([key, positions]) => {
        const truth = names[Math.floor(key / names.length)];
        const predicted = names[key % names.length];
        const name = `${truth} classified as ${predicted}`;
        const attributes = { role: "img", "aria-label": name, title: name };
        const tiles = positions.map((position) => tile(position, 40, attributes));
        return [element("h4", {}, `${name} (${positions.length})`), element("div", {}, ...tiles)];
      }),
    );
    for (const choice of document.querySelectorAll(".choice input")) {
      choice.checked = supports.includes(Number(choice.value));
    }
  }

  function open() {
    tried = page.sets.find((set) => set.key === chooser.value);
    codes = unpack(tried);
    supports = tried.choices.map((choices) => choices[0]);
    document.getElementById("choices").replaceChildren(
      ...tried.classes.map((one, way) => {
        const swatch = element("i", { style: `background: ${one.colour}` });
        const legend = element("legend", {}, element("span", { class: "class" }, swatch, one.name));
        const choices = tried.choices[way].map((position, number) => {
          const label = `${one.name}, image ${number + 1}: use it as the example`;
          const attributes = { type: "radio", name: `example-${way}`, value: position, "aria-label": label };
          const choice = element("input", attributes);
          choice.addEventListener("change", () => {
            supports[way] = position;
            show();
          });
          const picture = element("label", { class: "choice" }, choice, tile(position, 36, { "aria-hidden": "true" }));
          picture.style.setProperty("--chosen", one.colour);
          return picture;
        });
        return element("fieldset", {}, legend, ...choices);
      }),
    );
    show();
  }

  document.getElementById("random").addEventListener("click", () => {
    supports = tried.choices.map((choices) => choices[Math.floor(Math.random() * choices.length)]);
    show();
  });
  chooser.addEventListener("change", open);
  open();
})();
