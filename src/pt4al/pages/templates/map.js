"use strict";
// The map of a pool: points in typed arrays, drawn into one canvas pixel by pixel. No network.

const GRID = 128;      // cells a side, to find the point under the pointer
const UNITS = 65536;   // of a map's side
const MARGIN = 18;     // CSS pixels around the whole map
const REACH = 14;      // CSS pixels from the pointer within which a point is found
const STEP = 10;       // CSS pixels that an arrow key moves at least, where it can
const CLOSEST = 400;   // times as large as the whole map
const CARDS = 60;      // chosen images that are shown
const RINGS = 2000;    // chosen images that are marked on the map
const PICTURES = 160;  // images in view, at most, that are shown as pictures
const UNKNOWN = 255;   // a pretext loss that is not known
const FIFTHS = ["lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth"];

const $ = (id) => document.getElementById(id);
const facts = JSON.parse($("facts").textContent);
const N = facts.images;
const canvas = $("canvas");
const ink = canvas.getContext("2d");
const dark = matchMedia("(prefers-color-scheme: dark)");
const view = { scale: 1, left: 0, top: 0 };  // CSS pixels a unit; where the map's corner is
let points, modes, mode, visible, order, grid, sheets;
let hovered = -1;
let chosen = [];
let lassoing = false;
let path = null;
let drawn = 0;  // milliseconds of the last drawing
let waiting = false;

start().catch((error) => {
  $("failed").hidden = false;
  throw error;
});

async function start() {
  points = await unpack($("points").textContent);
  sheets = [...document.querySelectorAll("#sheets img")];
  await Promise.all(sheets.map((sheet) => sheet.decode().catch(() => null)));
  modes = { state: byState(), class: byClass(), loss: byLoss(), doubt: byDoubt() };
  visible = new Uint8Array(N).fill(1);
  grid = sorted();
  document.documentElement.classList.add("ready");
  listen();
  colour("state");
  new ResizeObserver(() => { fit(); draw(); }).observe(canvas);
  fit();
  paint();
  tellShown();
  document.documentElement.dataset.ready = "1";
}

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const words = (place) => new Uint16Array(bytes, 2 * N * place, N);
  return {
    x: words(0), y: words(1), class: words(2), tile: words(3), state: words(4),
    loss: new Uint8Array(bytes, 10 * N, N),
    ids: new TextDecoder().decode(new Uint8Array(bytes, 11 * N)).split("\n"),
  };
}

// --- What a point is coloured by: a number for each point, and a name and a colour for each number.

function byState() {
  const cycles = facts.states.filter((state) => state.kind === "cycle").length;
  let cycle = 0;
  const groups = facts.states.map((state) => {
    if (state.kind !== "cycle") return { name: state.name, colour: { none: "faint", start: "grey", asked: "red", control: "green" }[state.kind] };
    const age = cycles > 1 ? cycle / (cycles - 1) : 1;
    cycle += 1;
    return { name: state.name, colour: ["ramp", age] };
  });
  return { groups, of: points.state, faint: 0 };
}

function byClass() {
  const groups = [{ name: "class not known", colour: "faint" }];
  facts.classes.forEach((name, number) => groups.push({ name, colour: ["class", number] }));
  return { groups, of: points.class, faint: 0 };
}

function byLoss() {
  const groups = [{ name: "not known", colour: "faint" }];
  FIFTHS.forEach((name, number) => groups.push({ name, colour: ["ramp", number / 4] }));
  const of = points.loss.map((loss) => (loss === UNKNOWN ? 0 : 1 + Math.min(4, Math.floor(loss / 51))));
  return { groups, of, faint: 0 };
}

function byDoubt() {
  const groups = [
    { name: "not judged", colour: "faint" },
    { name: "fits those like it", colour: "green" },
    { name: "looks wrong", colour: "red" },
  ];
  const of = new Uint16Array(N);
  facts.judged.forEach((point) => { of[point] = 1; });
  Object.keys(facts.doubted).forEach((point) => { of[point] = 2; });
  return { groups, of, faint: 0 };
}

const RAMP = [[106, 79, 192], [196, 82, 143], [224, 112, 32]];
const DARK_RAMP = [[150, 130, 240], [230, 120, 180], [250, 170, 60]];

function rgb(colour) {
  const side = dark.matches ? 1 : 0;
  if (colour === "faint") return side ? [92, 102, 114] : [178, 186, 196];
  if (colour === "grey") return side ? [210, 214, 220] : [70, 76, 84];
  if (colour === "red") return side ? [255, 110, 100] : [200, 30, 30];
  if (colour === "green") return side ? [53, 199, 156] : [0, 128, 95];
  const [kind, value] = colour;
  if (kind === "class") {
    const named = facts.colours[value];
    if (named) return [1, 3, 5].map((at) => parseInt(named[side].slice(at, at + 2), 16));
    return hue(value * 137.508, side ? 0.68 : 0.42);
  }
  const ramp = side ? DARK_RAMP : RAMP;
  const place = Math.min(value, 0.9999) * (ramp.length - 1);
  const [one, other] = [ramp[Math.floor(place)], ramp[Math.floor(place) + 1]];
  return one.map((number, at) => Math.round(number + (other[at] - number) * (place % 1)));
}

function hue(degrees, light) {
  const part = (shift) => {
    const place = (shift + degrees / 30) % 12;
    return Math.round(255 * (light - 0.55 * Math.min(light, 1 - light) * Math.max(-1, Math.min(place - 3, 9 - place, 1))));
  };
  return [part(0), part(8), part(4)];
}

function colour(name) {
  mode = modes[name];
  // The points of each group, one group after the other: what is faint is drawn first.
  const starts = new Uint32Array(mode.groups.length + 1);
  for (let point = 0; point < N; point++) starts[mode.of[point] + 1]++;
  mode.counts = starts.slice(1);
  for (let group = 0; group < mode.groups.length; group++) starts[group + 1] += starts[group];
  mode.starts = starts.slice();
  order = new Uint32Array(N);
  for (let point = 0; point < N; point++) order[starts[mode.of[point]]++] = point;
  listGroups();
}

function listGroups() {
  $("legend").replaceChildren(...mode.groups.map((group, number) => {
    const button = document.createElement("button");
    button.hidden = mode.counts[number] === 0;
    button.setAttribute("aria-pressed", String(!group.off));
    const spot = document.createElement("i");
    spot.style.background = `rgb(${rgb(group.colour)})`;
    const count = document.createElement("span");
    count.className = "count";
    count.textContent = mode.counts[number].toLocaleString("en");
    button.append(spot, group.name, count);
    button.addEventListener("click", () => {
      group.off = !group.off;
      button.setAttribute("aria-pressed", String(!group.off));
      filter();
    });
    return button;
  }));
}

function filter() {
  const off = Object.values(modes).filter((one) => one.groups.some((group) => group.off));
  visible.fill(1);
  for (const one of off) {
    for (let point = 0; point < N; point++) if (one.groups[one.of[point]].off) visible[point] = 0;
  }
  if (hovered >= 0 && !visible[hovered]) hover(-1);
  draw();
  tellShown();
}

function tellShown() {
  let count = 0;
  for (let point = 0; point < N; point++) count += visible[point];
  tell(`${count.toLocaleString("en")} of ${N.toLocaleString("en")} images are shown.`);
}

// --- Where points are.

function fit() {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const [left, bottom, right, top] = bounds();
  const scale = Math.min((width - 2 * MARGIN) / (right - left), (height - 2 * MARGIN) / (top - bottom));
  view.scale = scale;
  view.whole = scale;
  view.left = width / 2 - ((left + right) / 2) * scale;
  view.top = height / 2 + ((bottom + top) / 2) * scale;
}

function bounds() {
  let [left, bottom, right, top] = [UNITS, UNITS, 0, 0];
  for (let point = 0; point < N; point++) {
    left = Math.min(left, points.x[point]);
    right = Math.max(right, points.x[point]);
    bottom = Math.min(bottom, points.y[point]);
    top = Math.max(top, points.y[point]);
  }
  return right > left || top > bottom ? [left, bottom, right, top] : [0, 0, UNITS, UNITS];
}

function place(point) {
  return [view.left + points.x[point] * view.scale, view.top - points.y[point] * view.scale];
}

function zoom(times, x, y) {
  const scale = Math.min(Math.max(view.scale * times, view.whole / 2), view.whole * CLOSEST);
  times = scale / view.scale;
  view.left = x - (x - view.left) * times;
  view.top = y - (y - view.top) * times;
  view.scale = scale;
  draw();
}

function goTo(box) {
  const [left, bottom, right, top] = box;
  const room = 1.6;
  view.scale = Math.min(canvas.clientWidth, canvas.clientHeight) / ((right - left) * room);
  view.left = canvas.clientWidth / 2 - ((left + right) / 2) * view.scale;
  view.top = canvas.clientHeight / 2 + ((bottom + top) / 2) * view.scale;
  draw();
}

// Points by cell of a grid: those of cell c are items[starts[c]] to items[starts[c + 1]].
function sorted() {
  const cell = (point) => (points.y[point] >> 9) * GRID + (points.x[point] >> 9);
  const starts = new Uint32Array(GRID * GRID + 1);
  for (let point = 0; point < N; point++) starts[cell(point) + 1]++;
  for (let at = 0; at < GRID * GRID; at++) starts[at + 1] += starts[at];
  const items = new Uint32Array(N);
  const next = starts.slice();
  for (let point = 0; point < N; point++) items[next[cell(point)]++] = point;
  return { starts, items };
}

// Calls back for each visible point in a box of map units.
function inBox(left, bottom, right, top, back) {
  const clip = (value) => Math.max(0, Math.min(GRID - 1, Math.floor(value / 512)));
  for (let line = clip(bottom); line <= clip(top); line++) {
    for (let at = grid.starts[line * GRID + clip(left)]; at < grid.starts[line * GRID + clip(right) + 1]; at++) {
      const point = grid.items[at];
      const [x, y] = [points.x[point], points.y[point]];
      if (visible[point] && x >= left && x <= right && y >= bottom && y <= top) back(point);
    }
  }
}

function nearest(x, y, reach) {
  const units = reach / view.scale;
  const [across, up] = [(x - view.left) / view.scale, (view.top - y) / view.scale];
  let best = -1;
  let least = units * units;
  inBox(across - units, up - units, across + units, up + units, (point) => {
    const distance = (points.x[point] - across) ** 2 + (points.y[point] - up) ** 2;
    // Of those on one spot, the one that is drawn last.
    if (distance < least || (distance === least && best >= 0 && mode.of[point] >= mode.of[best])) {
      least = distance;
      best = point;
    }
  });
  return best;
}

// --- Drawing.

function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; paint(); });
}

function paint() {
  const began = performance.now();
  const dense = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * dense));
  const height = Math.max(1, Math.round(canvas.clientHeight * dense));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const image = ink.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const magnified = Math.sqrt(view.scale / view.whole);
  const crowd = Math.sqrt((canvas.clientWidth * canvas.clientHeight) / Math.max(N, 1));
  const radius = Math.min(6, Math.max(0.8, 0.2 * crowd) * Math.max(1, magnified));
  for (let group = 0; group < mode.groups.length; group++) {
    if (mode.groups[group].off) continue;
    const [red, green, blue] = rgb(mode.groups[group].colour);
    const value = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    const more = group !== mode.faint && mode !== modes.loss ? Math.max(1.4 * radius, 2.6) : radius;
    dots(pixels, width, height, group, disc(more * dense), value, dense);
  }
  ink.putImageData(image, 0, 0);
  ink.setTransform(dense, 0, 0, dense, 0, 0);
  pictures();
  rings();
  outline();
  ink.setTransform(1, 0, 0, 1, 0, 0);
  drawn = performance.now() - began;
}

// The pixels of a round dot, seen from its centre, line by line: [down, first, last].
function disc(radius) {
  const lines = [];
  const reach = Math.floor(radius);
  for (let down = -reach; down <= reach; down++) {
    const half = Math.floor(Math.sqrt((radius + 0.3) ** 2 - down * down));
    lines.push([down, -half, half]);
  }
  return lines;
}

function dots(pixels, width, height, group, lines, value, dense) {
  const { x, y } = points;
  const scale = view.scale * dense;
  const left = view.left * dense;
  const top = view.top * dense;
  for (let at = mode.starts[group]; at < mode.starts[group + 1]; at++) {
    const point = order[at];
    if (!visible[point]) continue;
    const across = Math.round(left + x[point] * scale);
    const down = Math.round(top - y[point] * scale);
    if (across < -9 || across > width + 9 || down < -9 || down > height + 9) continue;
    for (let line = 0; line < lines.length; line++) {
      const row = down + lines[line][0];
      if (row < 0 || row >= height) continue;
      const first = Math.max(0, across + lines[line][1]);
      const last = Math.min(width - 1, across + lines[line][2]);
      for (let pixel = first; pixel <= last; pixel++) pixels[row * width + pixel] = value;
    }
  }
}

// Where few images are in view, their pictures stand in place of dots.
function pictures() {
  if (view.scale < 3 * view.whole) return;
  const seen = [];
  const [left, right] = [-view.left / view.scale, (canvas.clientWidth - view.left) / view.scale];
  const [bottom, top] = [(view.top - canvas.clientHeight) / view.scale, view.top / view.scale];
  inBox(left, bottom, right, top, (point) => seen.push(point));
  if (seen.length > PICTURES) return;
  for (const point of seen) {
    if (!points.tile[point]) continue;
    const [x, y] = place(point);
    const side = 40 / Math.max(facts.width, facts.height);
    const [width, height] = [facts.width * side, facts.height * side];
    const [sheet, fromX, fromY] = tileAt(point);
    ink.drawImage(sheet, fromX, fromY, facts.width, facts.height, x - width / 2, y - height / 2, width, height);
    ink.strokeStyle = `rgb(${rgb(mode.groups[mode.of[point]].colour)})`;
    ink.lineWidth = 2;
    ink.strokeRect(x - width / 2, y - height / 2, width, height);
  }
}

function rings() {
  const strong = dark.matches ? "#fff" : "#000";
  ink.strokeStyle = strong;
  ink.lineWidth = 1.5;
  for (const point of chosen.slice(0, RINGS)) ring(point, 5);
  ink.lineWidth = 2.5;
  if (hovered >= 0) ring(hovered, 8);
}

function ring(point, radius) {
  const [x, y] = place(point);
  ink.beginPath();
  ink.arc(x, y, radius, 0, 2 * Math.PI);
  ink.stroke();
}

function outline() {
  if (!path || path.length < 2) return;
  ink.beginPath();
  path.forEach(([x, y], at) => (at ? ink.lineTo(x, y) : ink.moveTo(x, y)));
  ink.closePath();
  ink.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  ink.lineWidth = 2;
  ink.setLineDash([6, 4]);
  ink.stroke();
  ink.setLineDash([]);
}

// --- One image: its small picture and what is known of it.

function tileAt(point) {
  const number = points.tile[point] - 1;
  const within = number % 256;
  return [sheets[number >> 8], (within % 16) * facts.cell, (within >> 4) * facts.cell];
}

function tile(point, side) {
  if (!points.tile[point]) return null;
  const small = document.createElement("canvas");
  small.className = "tile";
  [small.width, small.height] = [facts.width, facts.height];
  const times = side / Math.max(facts.width, facts.height);
  small.style.width = `${Math.round(facts.width * times)}px`;
  small.style.height = `${Math.round(facts.height * times)}px`;
  small.setAttribute("role", "img");
  small.setAttribute("aria-label", points.ids[point]);
  const [sheet, x, y] = tileAt(point);
  small.getContext("2d").drawImage(sheet, x, y, facts.width, facts.height, 0, 0, facts.width, facts.height);
  return small;
}

function lines(point) {
  const said = [points.ids[point]];
  const name = points.class[point] ? facts.classes[points.class[point] - 1] : "";
  said.push([name, facts.states[points.state[point]].name].filter(Boolean).join(", "));
  const other = facts.doubted[point];
  if (other !== undefined) said.push(`looks wrong: those like it are called ${other}`);
  if (points.loss[point] !== UNKNOWN) {
    said.push(`pretext loss above that of ${Math.round((100 * points.loss[point]) / 254)} % of the pool`);
  }
  return said;
}

function described(point, side, most = 3) {
  const parts = [];
  const small = tile(point, side);
  if (small) parts.push(small);
  lines(point).slice(0, most).forEach((line, at) => {
    const text = document.createElement(at ? "div" : "strong");
    text.textContent = line;
    if (at) text.className = "soft";
    parts.push(text);
  });
  return parts;
}

function hover(point) {
  if (point === hovered) return;
  hovered = point;
  const card = $("card");
  card.hidden = point < 0;
  if (point >= 0) {
    card.replaceChildren(...described(point, 96));
    beside(card, point);
  }
  draw();
}

function beside(card, point) {
  const [x, y] = place(point);
  const right = x + 14 + card.offsetWidth < canvas.clientWidth;
  const left = right ? x + 14 : Math.max(4, x - 14 - card.offsetWidth);
  const top = Math.max(4, Math.min(y + 14, canvas.clientHeight - card.offsetHeight - 4));
  card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

function tell(text) {
  $("status").textContent = text;
}

// --- Chosen images.

function choose(some) {
  chosen = some;
  const number = chosen.length.toLocaleString("en");
  $("number").textContent = number;
  $("none").hidden = chosen.length > 0;
  $("some").hidden = chosen.length === 0;
  $("ids").value = chosen.map((point) => points.ids[point]).join("\n");
  $("copied").textContent = "";
  $("chosen").replaceChildren(...chosen.slice(0, CARDS).map((point) => {
    const item = document.createElement("li");
    item.append(...described(point, 80, 2));
    return item;
  }));
  const rest = chosen.length - CARDS;
  $("rest").textContent = rest > 0 ? `${rest.toLocaleString("en")} more are in the list of ids alone.` : "";
  tell(chosen.length === 1 ? "1 image is chosen." : `${number} images are chosen.`);
  draw();
}

function toggle(point) {
  choose(chosen.includes(point) ? chosen.filter((one) => one !== point) : [...chosen, point]);
}

function within(polygon) {
  const units = polygon.map(([x, y]) => [(x - view.left) / view.scale, (view.top - y) / view.scale]);
  const across = units.map(([x]) => x);
  const up = units.map(([, y]) => y);
  const some = [];
  inBox(Math.min(...across), Math.min(...up), Math.max(...across), Math.max(...up), (point) => {
    let inside = false;
    for (let at = 0, before = units.length - 1; at < units.length; before = at++) {
      const [x, y] = units[at];
      const [otherX, otherY] = units[before];
      const crosses = y > points.y[point] !== otherY > points.y[point];
      if (crosses && points.x[point] < ((otherX - x) * (points.y[point] - y)) / (otherY - y) + x) inside = !inside;
    }
    if (inside) some.push(point);
  });
  return some;
}

async function copy() {
  try {
    await navigator.clipboard.writeText($("ids").value);
  } catch {
    $("ids").select();
    document.execCommand("copy");
  }
  $("copied").textContent = chosen.length === 1 ? "1 id is copied." : `${chosen.length.toLocaleString("en")} ids are copied.`;
}

// --- Keys: an arrow goes to the nearest image that way.

function move(right, down) {
  const [x, y] = hovered >= 0 ? place(hovered) : [canvas.clientWidth / 2, canvas.clientHeight / 2];
  let next = hovered < 0 ? closest(x, y, () => true) : -1;
  if (next < 0) next = closest(x, y, (ahead, aside) => ahead >= STEP && aside <= ahead, right, down);
  if (next < 0) next = closest(x, y, (ahead, aside) => ahead > 0.01 && aside <= 2 * ahead, right, down);
  if (next < 0) return;
  const [toX, toY] = place(next);
  const edge = 30;
  if (toX < edge || toY < edge || toX > canvas.clientWidth - edge || toY > canvas.clientHeight - edge) {
    view.left += canvas.clientWidth / 2 - toX;
    view.top += canvas.clientHeight / 2 - toY;
  }
  hover(next);
  tell(lines(next).join("; "));
}

function closest(x, y, allowed, right = 0, down = 0) {
  let best = -1;
  let least = Infinity;
  for (let point = 0; point < N; point++) {
    if (!visible[point] || point === hovered) continue;
    const across = view.left + points.x[point] * view.scale - x;
    const below = view.top - points.y[point] * view.scale - y;
    const distance = across * across + below * below;
    if (distance >= least) continue;
    if (!allowed(across * right + below * down, Math.abs(across * down) + Math.abs(below * right))) continue;
    least = distance;
    best = point;
  }
  return best;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const centre = hovered >= 0 ? place(hovered) : [canvas.clientWidth / 2, canvas.clientHeight / 2];
  if (ARROWS[event.key]) move(...ARROWS[event.key]);
  else if (event.key === "Enter" && hovered >= 0) toggle(hovered);
  else if (event.key === "+" || event.key === "=") zoom(1.5, ...centre);
  else if (event.key === "-") zoom(1 / 1.5, ...centre);
  else if (event.key === "0") whole();
  else if (event.key === "Escape") { hover(-1); choose([]); }
  else return;
  if (hovered >= 0) beside($("card"), hovered);
  event.preventDefault();
}

function whole() {
  fit();
  hover(-1);
  draw();
}

// --- Pointers: one moves the map, two zoom it.

const pointers = new Map();
let moved = 0;

function at(event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function down(event) {
  try { canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ }
  pointers.set(event.pointerId, at(event));
  moved = 0;
  path = pointers.size === 1 && (event.shiftKey || lassoing) ? [at(event)] : null;
}

function drag(event) {
  const [x, y] = at(event);
  const before = pointers.get(event.pointerId);
  if (!before) {
    hover(nearest(x, y, REACH));
    return;
  }
  moved += Math.hypot(x - before[0], y - before[1]);
  if (path) {
    path.push([x, y]);
    draw();
  } else if (pointers.size === 1 && moved > 4) {
    view.left += x - before[0];
    view.top += y - before[1];
    hover(-1);
    draw();
  } else if (pointers.size === 2) {
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, spot]) => spot);
    const apart = (spot) => Math.max(1, Math.hypot(spot[0] - other[0], spot[1] - other[1]));
    zoom(apart([x, y]) / apart(before), (x + other[0]) / 2, (y + other[1]) / 2);
  }
  pointers.set(event.pointerId, [x, y]);
}

function up(event) {
  if (!pointers.delete(event.pointerId)) return;
  if (path) {
    const polygon = path;
    path = null;
    if (polygon.length > 2) choose(within(polygon));
    draw();
  } else if (moved <= 4 && event.type === "pointerup") {
    const point = nearest(...at(event), REACH);
    hover(point);
    if (point >= 0) toggle(point);
  }
}

function listen() {
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", drag);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", (event) => { if (!pointers.size && event.pointerType === "mouse") hover(-1); });
  canvas.addEventListener("keydown", press);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...at(event));
    if (hovered >= 0) beside($("card"), hovered);
  }, { passive: false });
  $("in").addEventListener("click", () => zoom(1.5, canvas.clientWidth / 2, canvas.clientHeight / 2));
  $("out").addEventListener("click", () => zoom(1 / 1.5, canvas.clientWidth / 2, canvas.clientHeight / 2));
  $("whole").addEventListener("click", whole);
  $("lasso").addEventListener("click", () => {
    lassoing = !lassoing;
    $("lasso").setAttribute("aria-pressed", String(lassoing));
  });
  $("all").addEventListener("click", () => {
    for (const one of Object.values(modes)) one.groups.forEach((group) => { group.off = false; });
    listGroups();
    filter();
  });
  $("copy").addEventListener("click", copy);
  $("forget").addEventListener("click", () => choose([]));
  for (const button of document.querySelectorAll("button.region")) {
    button.addEventListener("click", () => {
      goTo(button.dataset.box.split(" ").map(Number));
      canvas.scrollIntoView({ block: "center" });
      canvas.focus({ preventScroll: true });
    });
  }
  for (const radio of document.querySelectorAll("input[name=mode]")) {
    radio.addEventListener("change", () => { colour(radio.value); draw(); });
  }
  dark.addEventListener("change", () => { listGroups(); draw(); });
}

// For whoever looks at the page from its console, and for tests.
window.poolMap = {
  get images() { return N; },
  get milliseconds() { return drawn; },
  get chosen() { return chosen.map((point) => points.ids[point]); },
  get hovered() { return hovered < 0 ? null : points.ids[hovered]; },
  get shown() { return visible.reduce((sum, one) => sum + one, 0); },
  place, paint, zoom,
};
