// Costs, side by side.
{
    const several = data.costs.length > 1;
    const calls = [];
    for (const sheet of data.costs)
        for (const row of sheet.rows)
            if (row.forks) calls.push(Object.assign({file: sheet.file}, row));
    const measures = [
        ["instructions", "Instructions in the call"], ["table_writes", "Table writes"], ["tables", "Tables allocated"],
        ["flushes", "Flushes in the call"], ["faults", "Write faults afterwards"], ["pages_copied", "Pages copied afterwards"]];
    for (const [key, title] of measures) {
        const card = make("div");
        card.append(make("h3", title));
        const most = Math.max(...calls.map(call => call[key] / call.forks), 1e-9);
        for (const call of calls) {
            const bar = make("div", undefined, "bar"), name = make("div", call.call), track = make("div", undefined, "track");
            if (several) name.append(make("small", call.file));
            const fill = make("div", undefined, "fill");
            fill.style.width = call[key] / call.forks / most * 100 + "%";
            track.append(fill, make("span", average(call[key], call.forks), "value"));
            bar.append(name, track);
            card.append(bar);
        }
        byId("costs").append(card);
    }
    if (!calls.length) byId("costs").append(make("p", "No call that succeeded.", "soft"));
    tableOf(byId("cost-table"), ["call"].concat(several ? ["log"] : [], ["calls", "failed"], measures.map(([, title]) => title.toLowerCase())),
        data.costs.flatMap(sheet => sheet.rows.map(row => [row.call].concat(several ? [sheet.file] : [], [grouped(row.forks), grouped(row.failed)],
            measures.map(([key]) => row.forks ? average(row[key], row.forks) : "-")))));
}
paintAll();
