import assert from "node:assert/strict";
import test from "node:test";
import { closeGaps, countsSent, growSockets, isOf, moveSocketsLast, numbersOf } from "../../web/node/sockets/order.js";
import { node, note, slot } from "./fakes.mjs";

function fresh(sockets) {
  const made = node(sockets);
  const [row] = moveSocketsLast(made);
  return { made, row };
}

test("sockets go behind the widgets' slots and keep their names in the person's language", () => {
  const { made, row } = fresh(3);
  assert.equal(made.names(), "prompt num_images image_1 image_2 image_3");
  assert.equal(made.inputs[2].localized_name, "Image 1");
  assert.equal(row.names.size, 3);
});

test("one free socket is left on a node without connections", () => {
  const { made, row } = fresh();
  assert.equal(closeGaps(made, row), true);
  assert.equal(made.names(), "prompt num_images image_1");
  assert.equal(closeGaps(made, row), false);
});

test("a socket that is taken makes room for one more", () => {
  const { made, row } = fresh();
  closeGaps(made, row);
  made.connect("image_1");
  growSockets(made, row);
  growSockets(made, row);
  assert.equal(made.names(), "prompt num_images image_1 image_2");
});

test("closing a gap keeps the order and the links, and the names count on", () => {
  const { made, row } = fresh();
  for (const place of [1, 2, 4]) made.connect(`image_${place}`);
  made.disconnect("image_2");
  closeGaps(made, row);
  assert.equal(made.names(), "prompt num_images image_1 image_2 image_3");
  assert.deepEqual(made.links(), ["image_1", "image_4", null]);
  assert.equal(made.inputs[3].localized_name, "Image 2");
});

test("no more sockets than the server has", () => {
  const { made, row } = fresh(3);
  for (const place of [1, 2, 3]) made.connect(`image_${place}`);
  closeGaps(made, row);
  assert.deepEqual(made.links(), ["image_1", "image_2", "image_3"]);
  made.disconnect("image_1");
  closeGaps(made, row);
  assert.deepEqual(made.links(), ["image_2", "image_3", null]);
});

test("any way of connecting and disconnecting ends in order with one free socket", () => {
  let seed = 7;
  const random = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  for (let round = 0; round < 50; round += 1) {
    const { made, row } = fresh(6);
    closeGaps(made, row);
    for (let step = 0; step < 40; step += 1) {
      const sockets = made.inputs.filter((each) => isOf(row, each));
      const chosen = sockets[random(sockets.length)];
      if (chosen.link === null) {
        chosen.link = `link ${step}`;
        growSockets(made, row);
      } else {
        chosen.link = null;
      }
      const order = made.inputs.filter((each) => isOf(row, each) && each.link).map((each) => each.link);
      closeGaps(made, row);
      const names = made.inputs.filter((each) => isOf(row, each)).map((each) => each.name);
      assert.deepEqual(names, names.map((_, place) => `image_${place + 1}`));
      assert.deepEqual(made.links(), order.length < 6 ? [...order, null] : order);
    }
  }
});

test("numbers follow the images, batches included, and a free socket would be the next", () => {
  const { made, row } = fresh();
  for (const place of [1, 2, 3]) made.connect(`image_${place}`);
  closeGaps(made, row);
  const counts = { image_2: 3 };
  const numbers = [...numbersOf(made, row, (each) => counts[each.name] ?? 1).values()];
  assert.deepEqual(numbers, [{ first: 1, last: 1 }, { first: 2, last: 4 }, { first: 5, last: 5 }, { first: 6, last: 6 }]);
});

test("each row of sockets grows by itself, whatever it is called, and a single socket stays", () => {
  const made = node(2);
  const { optional } = made.constructor.nodeData.input;
  for (const place of [1, 2, 3]) {
    optional[`reference_video_${place}`] = ["VIDEO", { stem: "reference_video" }];
    made.inputs.push(slot(`reference_video_${place}`, "VIDEO"));
  }
  optional.image_7 = ["IMAGE", {}];
  made.inputs.push(slot("image_7"));
  const rows = moveSocketsLast(made);
  assert.deepEqual(rows.map(({ stem, type, names }) => [stem, type, names.size]), [["image", "IMAGE", 2], ["reference_video", "VIDEO", 3]]);
  for (const row of rows) closeGaps(made, row);
  assert.equal(made.names(), "prompt num_images image_7 image_1 reference_video_1");
  made.connect("reference_video_1");
  for (const row of rows) growSockets(made, row);
  assert.equal(made.names(), "prompt num_images image_7 image_1 reference_video_1 reference_video_2");
});

test("images are counted in what was sent", () => {
  const sent = ["image_1", "image_2", "image_2"].map((socket) => note("sent.lossless", { socket }));
  assert.deepEqual([...countsSent(sent)], [["image_1", 1], ["image_2", 2]]);
});
