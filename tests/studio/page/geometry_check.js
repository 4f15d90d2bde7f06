// What a browser is asked of /page/geometry.js; it answers with what is wrong.
async () => {
    const g = await import("/page/geometry.js");
    let seed = 1;
    const draw = (least, most) => {
      seed = (seed * 16807) % 2147483647;
      return least + (most - least) * seed / 2147483647;
    };
    const size = [640, 480];
    const wrong = [];
    for (let round = 0; round < 3000; round++) {
      const point = () => [draw(-900, 900), draw(-900, 900)];
      const box = g.between(point(), point(), size);
      const handle = g.HANDLES[Math.floor(draw(0, 8))];
      const moved = g.moved(box, draw(-900, 900), draw(-900, 900), size);
      const pulled = g.resized(box, handle, draw(-900, 900), draw(-900, 900), size);
      for (const each of [box, moved, pulled]) {
        const [x1, y1, x2, y2] = each;
        if (!(0 <= x1 && x1 <= x2 && x2 <= 640 && 0 <= y1 && y1 <= y2 && y2 <= 480)) wrong.push(each);
      }
      if (Math.abs(moved[2] - moved[0] - box[2] + box[0]) > 0.011) wrong.push([box, moved]);
      for (const [at, side] of [[0, "w"], [1, "n"], [2, "e"], [3, "s"]]) {
        const turned = pulled[at] !== box[at] && !handle.includes(side);
        const opposite = { w: "e", e: "w", n: "s", s: "n" }[side];
        if (turned && !handle.includes(opposite)) wrong.push([handle, box, pulled]);
      }
      const view = { scale: draw(0.01, 60), x: draw(-99, 99), y: draw(-99, 99) };
      const at = [draw(0, 900), draw(0, 900)];
      const [before, after] = [g.toPicture(view, at), g.toPicture(g.zoomed(view, draw(0.5, 2), at), at)];
      if (Math.abs(before[0] - after[0]) > 1e-6 || Math.abs(before[1] - after[1]) > 1e-6) wrong.push(view);
    }
    return wrong.slice(0, 3);
}
