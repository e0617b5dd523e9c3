// Frames through time, and below them how many there are of each sort.
{
    const kHeight = 320;
    const heat = data.heat, columns = heat.columns, rows = heat.rows.length;
    const uses = {"1": ["sky", "in one address space"], "2": ["orange", "shared by two"], "3": ["red", "shared by three or more"], "t": ["blue", "page table"]};
    const ownerColours = ["blue", "orange", "green", "pink", "sky", "red"];
    const canvas = byId("heat"), share = byId("share"), note = byId("heat-note");
    let way = "use";

    function nameOf(column, row) {
        const use = column.use[row];
        if (use === ".") return null;
        if (way === "use") return uses[use][0];
        if (use !== "1") return "track";
        const owner = Number(column.owner[row]);
        return owner ? ownerColours[owner - 1] : "grey";
    }

    function paintHeat() {
        sized(canvas, kHeight, (c, width, height) => {
            const wide = width / Math.max(1, columns.length), tall = height / Math.max(1, rows);
            columns.forEach((column, i) => {
                for (let row = 0; row < rows; ++row) {
                    const name = nameOf(column, row);
                    if (!name) continue;
                    c.globalAlpha = .35 + .65 * Number(column.fill[row]) / 9;
                    c.fillStyle = colours[name];
                    c.fillRect(i * wide, row * tall, wide + .5, tall + .5);
                }
            });
            c.globalAlpha = 1;
            if (!rows || !columns.length) { c.fillStyle = colour("soft"); c.fillText("No frame of user space in this span.", 8, 20); }
        });
    }

    function paintShare() {
        sized(share, 120, (c, width, height) => {
            const most = Math.max(1, ...columns.map(column => column.frames.slice(1).reduce((sum, n) => sum + n, 0)));
            const wide = width / Math.max(1, columns.length);
            columns.forEach((column, i) => {
                let y = height;
                for (const [place, name] of [[4, "blue"], [1, "sky"], [2, "orange"], [3, "red"]]) {
                    const h = column.frames[place] / most * (height - 18);
                    c.fillStyle = colours[name];
                    c.fillRect(i * wide, y - h, wide + .5, h);
                    y -= h;
                }
            });
            c.fillStyle = colour("soft");
            c.font = "12px system-ui, sans-serif";
            c.fillText("frames used, at most " + grouped(most), 6, 13);
        });
    }

    let colours = {};
    function paint() {
        colours = {};
        for (const name of ["sky", "orange", "red", "blue", "green", "pink", "grey", "track"]) colours[name] = colour(name);
        paintHeat();
        paintShare();
        const items = way === "use" ? Object.values(uses)
            : heat.owners.map((owner, i) => [ownerColours[i], owner]).concat([["grey", "anybody else"], ["track", "shared, or a page table"]]);
        legend(byId("heat-legend"), items);
    }

    canvas.addEventListener("pointerdown", tell);
    canvas.addEventListener("pointermove", event => { if (event.pointerType === "mouse") tell(event); });
    function tell(event) {
        const box = canvas.getBoundingClientRect();
        const column = columns[Math.floor((event.clientX - box.left) / box.width * columns.length)];
        const row = Math.floor((event.clientY - box.top) / box.height * rows);
        if (!column || !(row in heat.rows)) return;
        const use = column.use[row], owner = Number(column.owner[row]);
        note.textContent = timeText(column.at) + ", frames from " + heat.rows[row] + " (" + counted(heat.frames_a_row, "frame") + " a row): " +
            (use === "." ? "not used" : "mostly " + uses[use][1] + (use === "1" ? ", " + (owner ? heat.owners[owner - 1] : "somebody else") : ""));
    }

    painters.push(paint);
    choice(byId("heat-tools"), [["use", "By sharing"], ["owner", "By owner"]], key => { way = key; paint(); });
}
