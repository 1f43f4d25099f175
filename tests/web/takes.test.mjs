import assert from "node:assert/strict";
import test from "node:test";
import { isTakeOf, strip, Takes } from "../../web/node/takes.js";
import { entry, texts } from "./fakes.mjs";

const t = texts();
const address = (id, index) => `${id}/${index}`;

function node(values) {
  const widgets = Object.entries(values).map(([name, value]) => ({ name, value }));
  return { widgets, inputs: widgets.map(({ name }) => ({ name, widget: { name }, link: null })), graph: {} };
}

test("a node shows its newest takes, and which one its seed stands for", () => {
  const made = node({ prompt: "a", seed: 7 });
  const takes = [8, 7, 6, 5, 4, 3].map((seed) => entry(seed, { seed, cost: 0.1 }));
  const shown = strip(made, takes, address, t);
  assert.deepEqual(shown.map(({ id, chosen }) => [id, chosen]), [[8, false], [7, true], [6, false], [5, false], [4, false]]);
  assert.deepEqual(shown[0], { id: 8, title: "seed 8 \u00b7 $0.10", src: "8/0", chosen: false });
  assert.deepEqual(strip(made, takes.slice(0, 1), address, t), [], "one alone is no choice");
  assert.deepEqual(strip(made, [entry(2, { seed: null }), entry(1)], address, t), [], "one cannot be chosen");
  const sounds = [entry(2, { kind: "audio" }), entry(1, { files: [{ index: 0, kept: false, type: "" }] })];
  assert.deepEqual(strip(made, sounds, address, t).map(({ src }) => src), ["", ""]);
});

test("a run is a take of a node where all but the seed is the same", () => {
  assert.equal(isTakeOf(node({ prompt: "a", seed: 7 }), { prompt: "a", seed: 1 }), true);
  assert.equal(isTakeOf(node({ prompt: "b", seed: 7 }), { prompt: "a", seed: 7 }), false);
});

test("takes are asked for after a pause, one node at a time, and not of what has no seed or was removed", async () => {
  const waiting = [];
  const asked = [];
  let under = 0;
  const takes = new Takes({
    ask: async (of) => {
      under += 1;
      assert.equal(under, 1);
      await null;
      under -= 1;
      asked.push(of);
      if (of === broken) throw new Error("not yet");
      return [entry(1), entry(2)];
    },
    changed: () => {},
    later: (action) => waiting.push(action),
    cancel: (timer) => timer && waiting.splice(0),
  });
  const broken = node({ seed: 2 });
  const nodes = [node({ seed: 1 }), broken, node({ rerun_seed: 0 })];
  for (const each of [...nodes, node({ prompt: "" }), { ...node({ seed: 3 }), graph: null }, nodes[0]]) takes.want(each);
  assert.equal(waiting.length, 1);
  await waiting[0]();
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(asked, nodes);
  assert.deepEqual(nodes.map((each) => takes.of(each).length), [2, 0, 2]);
});
