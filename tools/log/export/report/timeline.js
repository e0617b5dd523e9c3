// The timeline: a lane a task.
{
    const kLane = 34, kAxis = 26, kBar = 12;
    const lanes = data.lanes.all;
    const sorts = [["Mapped", "sky"], ["Copied", "orange"], ["Given back", "green"], ["Other", "pink"]];
    const canvas = byId("time"), note = byId("time-note");
    let from = data.meta.begin, to = Math.max(data.meta.end, data.meta.begin + 1);
    let spots = [];  // what can be tapped: {x, y, text}

    function shape(c, kind, x, y, name) {
        c.fillStyle = colour(name);
        c.strokeStyle = colour("card");
        c.lineWidth = 1.5;
        c.beginPath();
        if (kind === "fork") { c.moveTo(x - 5, y - 5); c.lineTo(x + 5, y - 5); c.lineTo(x, y + 5); }
        else if (kind === "exec") { c.moveTo(x, y - 6); c.lineTo(x + 6, y); c.lineTo(x, y + 6); c.lineTo(x - 6, y); }
        else { c.rect(x - 4, y - 4, 8, 8); }
        c.closePath();
        c.fill();
        c.stroke();
    }

    const items = sorts.map(([text, name]) => [name, "fault: " + text.toLowerCase()]);
    legend(byId("time-legend"), items);
    for (const [kind, name, text] of [["fork", "blue", "fork, vfork, clone"], ["exec", "green", "exec"], ["exit", "red", "exit"]]) {
        const item = make("li"), mark = document.createElement("canvas");
        mark.dataset.kind = kind;
        mark.dataset.colour = name;
        item.append(mark, make("span", text));
        byId("time-legend").append(item);
    }
    function paintLegend() {
        for (const mark of byId("time-legend").querySelectorAll("canvas")) {
            mark.width = mark.height = 28;
            const c = mark.getContext("2d");
            c.setTransform(2, 0, 0, 2, 0, 0);
            shape(c, mark.dataset.kind, 7, 7, mark.dataset.colour);
        }
    }

    // Round steps of virtual time, about one in 90 pixels.
    function axis(c, width, height, x) {
        const rate = data.meta.per_second || 1;
        const want = (to - from) / rate / Math.max(2, width / 90);
        const power = 10 ** Math.floor(Math.log10(want));
        const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= want) * rate;
        c.fillStyle = colour("soft");
        c.strokeStyle = colour("line");
        c.lineWidth = 1;
        c.font = "11px system-ui, sans-serif";
        c.textBaseline = "middle";
        for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
            c.beginPath(); c.moveTo(x(t), kAxis - 6); c.lineTo(x(t), height); c.stroke();
            const text = data.meta.per_second ? timeText(t).replace(/\.?0+ /, " ") : grouped(t);
            const w = c.measureText(text).width;
            if (x(t) + w / 2 < width && x(t) - w / 2 > 0) c.fillText(text, x(t) - w / 2, 10);
        }
    }

    function faults(c, lane, top, x, width) {
        const span = data.meta.end - data.meta.begin + 1, columns = data.lanes.columns;
        const list = lane.faults;
        for (let i = 0; i < list.length; i += 1 + sorts.length) {
            const counts = list.slice(i + 1, i + 1 + sorts.length);
            const total = counts.reduce((sum, n) => sum + n, 0);
            const t = data.meta.begin + list[i] / columns * span;
            const left = x(t), wide = Math.max(2, x(t + span / columns) - left - .5);
            if (left + wide < 0 || left > width) continue;
            let y = top + kBar;
            const full = Math.min(kBar, 4 + 2.5 * Math.log2(total));
            counts.forEach((n, sort) => {
                if (!n) return;
                const h = full * n / total;
                c.fillStyle = colour(sorts[sort][1]);
                c.fillRect(left, y - h, wide, h);
                y -= h;
            });
            spots.push({x: left + wide / 2, y: top + kBar / 2, reach: 9,
                text: lane.label + " at " + timeText(t) + ": " + counted(total, "page fault") + " (" +
                    counts.map((n, sort) => n ? n + " " + sorts[sort][0].toLowerCase() : "").filter(Boolean).join(", ") + ")"});
        }
    }

    function paint() {
        paintLegend();
        spots = [];
        const height = kAxis + Math.max(1, lanes.length) * kLane + 6;
        sized(canvas, height, (c, width) => {
            const x = t => (t - from) / (to - from) * width;
            axis(c, width, height, x);
            const barTop = i => kAxis + i * kLane + 16;
            for (const fork of data.forks) {
                if (!fork.parent || !fork.child) continue;
                const at = x(fork.begin);
                if (at < -20 || at > width + 20) continue;
                c.strokeStyle = colour("blue");
                c.globalAlpha = data.forks.length > 60 ? .3 : .55;
                c.lineWidth = data.forks.length > 60 ? 1 : 1.5;
                c.beginPath(); c.moveTo(at, barTop(fork.parent - 1) + kBar / 2); c.lineTo(at, barTop(fork.child - 1) + kBar / 2); c.stroke();
                c.globalAlpha = 1;
            }
            lanes.forEach((lane, i) => {
                const top = barTop(i), left = Math.max(-4, x(lane.begin)), right = Math.min(width + 4, x(lane.end));
                c.fillStyle = colour("grey");
                c.globalAlpha = .4;
                c.fillRect(left, top, Math.max(2, right - left), kBar);
                c.globalAlpha = 1;
                faults(c, lane, top, x, width);
                c.font = "12px system-ui, sans-serif";
                c.textBaseline = "alphabetic";
                c.fillStyle = colour("ink");
                const text = "\u00a0".repeat(Math.min(lane.depth, 12)) + lane.label + (lane.ending ? ", " + lane.ending : "");
                const wide = c.measureText(text).width;
                c.fillText(text, Math.max(2, Math.min(left, width - wide - 4)), top - 3);
                spots.push({x: (Math.max(0, left) + Math.min(width, right)) / 2, y: top + kBar / 2, reach: 7, wide: (right - left) / 2,
                    text: lane.label + ": from " + timeText(lane.begin) + " to " + timeText(lane.end) + (lane.ending ? ", " + lane.ending : "")});
                for (const [t, name] of lane.execs) {
                    shape(c, "exec", x(t), top + kBar / 2, "green");
                    spots.push({x: x(t), y: top + kBar / 2, reach: 14, text: lane.label + " executes " + name + " at " + timeText(t)});
                }
                if (lane.ending && lane.end < data.meta.end + 1) {
                    shape(c, "exit", x(lane.end), top + kBar / 2, "red");
                    spots.push({x: x(lane.end), y: top + kBar / 2, reach: 14, text: lane.label + " ends at " + timeText(lane.end) + ": " + lane.ending});
                }
            });
            for (const fork of data.forks) {
                const lane = fork.parent || fork.child;
                if (!lane) continue;
                const at = x(fork.begin), y = barTop(lane - 1) + kBar / 2;
                shape(c, "fork", at, y, "blue");
                spots.push({x: at, y, reach: 14, text: "Fork " + fork.number + " at " + timeText(fork.begin) + ": " + fork.caller + " calls " +
                    fork.call + " (" + fork.flags + ") and gets " + fork.result +
                    (fork.end === null ? "" : " after " + counted(fork.end - fork.begin, "instruction")) + "; " + counted(fork.tables, "table") + ", " +
                    counted(fork.entries, "entry", "entries") + " copied, " + fork.protected + " made read-only; afterwards " + fork.copies +
                    " copied, " + fork.reuses + " given back"});
            }
            if (!lanes.length) { c.fillStyle = colour("soft"); c.fillText("No task in this span.", 8, kAxis + 16); }
        });
    }

    function tell(event) {
        const box = canvas.getBoundingClientRect();
        const px = event.clientX - box.left, py = event.clientY - box.top;
        let best = null, nearest = 1;
        for (const spot of spots) {
            const far = Math.hypot(Math.max(0, Math.abs(px - spot.x) - (spot.wide || 0)), py - spot.y) / spot.reach + (spot.wide ? .6 : 0);
            if (far <= nearest) { nearest = far; best = spot; }
        }
        note.textContent = best ? best.text : "";
    }

    function move(by) {
        const most = data.meta.end - data.meta.begin || 1, span = Math.min(to - from, most);
        from = Math.min(Math.max(from + by, data.meta.begin), data.meta.begin + most - span);
        to = from + span;
        paint();
    }
    function zoom(factor) {
        const middle = (from + to) / 2, half = Math.max((to - from) * factor / 2, 50);
        from = middle - half;
        to = middle + half;
        move(0);
    }
    const tools = byId("time-tools");
    button(tools, "All", () => { from = data.meta.begin; to = Math.max(data.meta.end, from + 1); paint(); });
    button(tools, "+ zoom in", () => zoom(.5));
    button(tools, "− zoom out", () => zoom(2));
    button(tools, "◀ earlier", () => move((from - to) / 3));
    button(tools, "later ▶", () => move((to - from) / 3));
    canvas.addEventListener("keydown", event => {
        const does = {ArrowLeft: () => move((from - to) / 6), ArrowRight: () => move((to - from) / 6), "+": () => zoom(.5), "-": () => zoom(2)}[event.key];
        if (does) { does(); event.preventDefault(); }
    });
    let held = null;
    canvas.addEventListener("pointerdown", event => { held = event.clientX; tell(event); });
    canvas.addEventListener("pointermove", event => {
        if (held === null) { if (event.pointerType === "mouse") tell(event); return; }
        move((held - event.clientX) / canvas.clientWidth * (to - from));
        held = event.clientX;
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) canvas.addEventListener(end, () => { held = null; });

    tableOf(byId("fork-table"), ["fork", "at", "who", "call", "gets", "instructions", "tables", "entries copied", "made read-only", "copied later", "given back"],
        data.forks.map(f => [f.number, timeText(f.begin), f.caller, f.call, f.result, f.end === null ? "-" : grouped(f.end - f.begin), f.tables, f.entries,
            f.protected, f.copies, f.reuses]));
    painters.push(paint);
}
