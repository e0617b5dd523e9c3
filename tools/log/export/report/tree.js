// The page tables of parent and child around one fork.
{
    const trees = data.trees;
    const place = byId("tree"), note = byId("tree-note");
    const kSpan = {1: "4 KiB", 2: "2 MiB", 3: "1 GiB", 4: "512 GiB"};

    // The bits of an entry, with those that came and went marked by more than colour.
    function bitsInto(line, before, after) {
        const was = before.split(" ").filter(Boolean), is = after.split(" ").filter(Boolean);
        for (const bit of ["P", "W", "U", "PS", "G", "NX"].concat(was, is).filter((b, i, all) => all.indexOf(b) === i)) {
            const had = was.includes(bit), has = is.includes(bit);
            if (had && has || before === "" && has || after === "" && had) line.append(make("code", bit), " ");
            else if (had) line.append(make("code", bit, "lost"), " ");
            else if (has) line.append(make("code", bit, "won"), " ");
        }
    }

    function rowOf([depth, level, va, count, before, after, oldTarget, newTarget, links, same, changed, uses]) {
        const kind = !changed ? "" : !before ? "new" : !after ? "gone" : "other";
        const line = make("div", undefined, "row " + kind);
        line.style.paddingLeft = 8 + depth * 14 + "px";
        line.append(make("span", {new: "+", gone: "−", other: "~", "": ""}[kind], "sign"), make("code", va));
        const what = links ? "table of level " + (level - 1) : counted(count, "page") + (level > 1 ? " of " + kSpan[level] : "");
        line.append(make("span", what, "what"));
        const bits = make("span");
        bitsInto(bits, before, after);
        line.append(bits);
        const target = links || count === 1 ? (links ? "at " : "frame ") + (same || !before ? newTarget : !after ? oldTarget : oldTarget + " → " + newTarget)
            : same ? "" : before && after ? "other frames" : "";
        if (target) line.append(make("code", target));
        if (uses > 1) line.append(make("span", "used by " + uses, "what"));
        return line;
    }

    // What changed, and the tables above it. A row's parent is the nearest row before it that is one less deep.
    function changes(rows) {
        const kept = [];
        let parent = -1;
        for (const row of rows.slice().reverse()) {
            if (!row[10] && row[0] !== parent) continue;
            kept.push(row);
            parent = row[0] - 1;
        }
        return kept.reverse();
    }

    function show(key) {
        const tree = key.startsWith("child") ? trees.child_tree : trees.parent_tree;
        const rows = key.endsWith("changed") ? changes(tree.rows) : tree.rows;
        place.replaceChildren(...rows.map(rowOf));
        if (!rows.length) place.append(make("p", "Nothing is there.", "soft"));
        note.textContent = counted(tree.changed, "entry", "entries") + " differ." + (tree.left_out ? " " + counted(tree.left_out, "row") + " more left out." : "") +
            " Accessed and dirty bits, and the kernel's half, are not compared.";
    }

    if (trees) {
        byId("h-tree").textContent = "What fork " + trees.fork + " did to the page tables";
        byId("tree-about").textContent = trees.parent + " called " + trees.call + " and got " + trees.child +
            ". Its own tables are compared before and after the call; the child's, as first loaded, with its parent's.";
        legend(byId("tree-legend"), [["new", "+ new"], ["gone", "− gone"], ["other", "~ changed: a bit lost is struck out, one won underlined"]]);
        const options = [["parent", "Parent"], ["parent changed", "Parent, changes only"]];
        if (trees.child_tree) options.push(["child", "Child against parent"], ["child changed", "Child, differences only"]);
        choice(byId("tree-tools"), options, show);
    } else {
        byId("tree-about").textContent = "No fork in this span.";
    }
}
