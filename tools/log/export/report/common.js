const data = JSON.parse(document.getElementById("data").textContent);
const byId = id => document.getElementById(id);

// All text from the log goes through textContent: nothing of it is ever taken for markup.
function make(name, text, className) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
}

function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }
function grouped(n) { return Math.round(n).toLocaleString("en"); }
function counted(n, one, many) { return grouped(n) + " " + (n === 1 ? one : many || one + "s"); }
function average(sum, n) {
    const value = n ? sum / n : 0;
    return value >= 100 || Number.isInteger(value) ? grouped(value) : value.toFixed(1);
}

// Instructions as virtual time.
function timeText(icount) {
    const rate = data.meta.per_second;
    if (!rate) return grouped(icount) + " instructions";
    const s = icount / rate;
    if (s < 1e-3) return (s * 1e6).toFixed(1) + " µs";
    if (s < 1) return (s * 1e3).toFixed(3) + " ms";
    return s.toFixed(4) + " s";
}

// A canvas as wide as its place and sharp on its screen; draw(context, width, height) in CSS pixels.
function sized(canvas, height, draw) {
    const width = Math.max(200, canvas.parentElement.clientWidth);
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + "px";
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height);
}

const painters = [];
function paintAll() { for (const paint of painters) paint(); }
window.addEventListener("resize", paintAll);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintAll);

function button(place, text, press) {
    const made = make("button", text);
    made.type = "button";
    made.addEventListener("click", press);
    place.append(made);
    return made;
}

// Buttons of which one is pressed; choose(key) is called with the first one at once.
function choice(place, options, choose) {
    const buttons = options.map(([key, text]) => button(place, text, () => pick(key)));
    function pick(key) {
        options.forEach(([other], i) => buttons[i].setAttribute("aria-pressed", String(other === key)));
        choose(key);
    }
    if (options.length) pick(options[0][0]);
}

function legend(place, items) {
    place.replaceChildren(...items.map(([name, text]) => {
        const item = make("li");
        const mark = make("i");
        mark.style.background = "var(--" + name + ")";
        item.append(mark, make("span", text));
        return item;
    }));
}

function tableOf(table, head, rows) {
    const top = table.createTHead().insertRow();
    for (const text of head) top.append(make("th", text));
    const body = table.createTBody();
    for (const row of rows) {
        const line = body.insertRow();
        for (const text of row) line.append(make("td", text));
    }
}

// The plain page, before anything is drawn.
byId("title").textContent = "What " + data.meta.file + " tells";
byId("subtitle").textContent = data.meta.kernel + (data.meta.command_line ? ", " + data.meta.command_line : "");
for (const [value, text] of [
    [grouped(data.meta.tasks), "tasks"], [grouped(data.meta.forks), "forks, vforks and clones"],
    [grouped(data.meta.faults), "page faults in this span"], [grouped(data.meta.events), "events in the log"],
    [timeText(data.meta.end - data.meta.begin), "virtual time shown"]]) {
    const fact = make("div");
    fact.append(make("b", value), make("span", text));
    byId("facts").append(fact);
}
if (data.meta.damage || data.meta.unknown) {
    byId("damage").hidden = false;
    byId("damage").textContent = "This log is not whole: " + [data.meta.damage, data.meta.unknown].filter(Boolean).join("; ");
}
byId("left-out").textContent = data.left_out.length ? "Left out: " + data.left_out.join("; ") + "." : "Nothing was left out.";
