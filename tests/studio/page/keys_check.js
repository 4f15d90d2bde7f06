// What a browser is asked of /page/keys.js; it answers with what is wrong.
async () => {
    const k = await import("/page/keys.js");
    const taken = k.COMMANDS.flatMap((each) => each.keys);
    const asked = [...taken, ...k.RESERVED, ...k.DIGITS, "m", "F3", "", "F2", "Ctrl+m"];
    // No key has two commands.
    const wrong = taken.filter((key, at) => taken.indexOf(key) !== at);
    for (const key of asked) {
      const classes = [{id: "a", name: "a", key}, {id: "b", name: "b", key}, {id: "c", name: "c", key: ""}];
      const keys = k.classKeys(classes, k.COMMANDS);
      for (const got of keys.keys()) if (taken.includes(got) || k.RESERVED.includes(got)) wrong.push(got);
      if (new Set(keys.values()).size !== 3) wrong.push([key, ...keys]);
      const free = !taken.includes(key) && !k.RESERVED.includes(key) && key !== "";
      if ((k.clash(key, k.COMMANDS, [], "a") === "") !== free) wrong.push(["clash", key]);
    }
    return wrong;
}
