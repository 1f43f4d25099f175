import assert from "node:assert/strict";
import test from "node:test";
import { NodeStatusStore } from "../../web/node/status_store.js";
import { abandoned, describe, hasEnded, isTimed } from "../../web/node/status_view.js";
import { failure, note, read, report, texts } from "./fakes.mjs";

const t = texts();
const shown = (changes, now) => describe(report(changes), t, now);

test("the queue shows its position and the seconds that pass between two reports", () => {
  const view = shown({ stage: "queued", position: 3, seconds: 4.4, heard: 1000, request_id: "abc" }, 3000);
  assert.equal(view.headline, "Queued, position 3");
  assert.equal(view.meta, "6 s");
  assert.equal(view.bar, "unknown");
  assert.equal(view.requestId, "abc");
});

test("a bar is there while the run goes on, and only then", () => {
  assert.equal(shown({ fraction: 0.4 }).bar, 0.4);
  assert.equal(shown({ stage: "delivered", fraction: 0.4, total: 1 }).bar, null);
  assert.equal(shown({ stage: "failed" }).bar, null);
});

test("a delivery tells images, seconds and cost", () => {
  const view = shown({ stage: "delivered", total: 2, seconds: 31, cost: 0.2 });
  assert.equal(view.headline, "2 images delivered");
  assert.equal(view.meta, "31 s \u00b7 $0.20");
  assert.equal(view.tone, "good");
});

test("a kept copy is said to cost nothing, and its old cost is not shown as one", () => {
  const view = shown({ stage: "delivered", total: 1, seconds: 31, cost: 0.2, kept: true });
  assert.deepEqual(view.lines, ["Same inputs: kept copy, no charge"]);
  assert.equal(view.meta, "");
});

test("a list tells its items and what they cost so far, then its images and what they cost", () => {
  const view = shown({ items: { done: 14, total: 20, jobs: [] }, cost: 1.4, seconds: 40 });
  assert.deepEqual([view.headline, view.meta], ["14 of 20", "$1.40"]);
  assert.equal(shown({ items: { done: 0, total: 20, jobs: [] }, cost: 0 }).meta, "");
  const end = shown({ stage: "delivered", items: { done: 20, total: 20, jobs: [] }, total: 20, cost: 2, seconds: 90 });
  assert.deepEqual([end.headline, end.meta], ["20 images delivered", "$2.00"]);
});

test("what a list delivered stands before what failed", () => {
  const item = note("item.failed", { number: 2, prompt: "a crow", cause: note("failure.job_failed"), charge: note("receipt.no") });
  const told = failure("items_failed", { params: { failed: 1, total: 3, delivered: 2, unsent: 0 }, items: [item] });
  const view = shown({ stage: "delivered", items: { done: 3, total: 3, jobs: [] }, total: 2, cost: 0.2, failure: told });
  assert.equal(view.headline, "2 images delivered");
  assert.ok(view.lines.includes("Item 2 (a crow): The job failed at the provider. Charged: no."));
});

const kinds = (view) => view.actions.map(({ kind }) => kind);

test("a failure shows what happened, the charge, the reason, and buttons in place of advice", () => {
  const steps = [note("next.look_at_inputs"), note("next.allow_retry", { request_id: "abc" })];
  const told = failure("job_failed", { request_id: "abc", reason: "too rude", charge: "yes", cost: 0.1, next: steps });
  const view = shown({ stage: "failed", request_id: "abc", failure: told });
  assert.equal(view.headline, "The job failed at the provider.");
  assert.deepEqual(view.chip, { text: "charged $0.10", tone: "bad" });
  assert.deepEqual(view.lines, ["Reason given: too rude", "Look at the prompt, the references and the safety settings."]);
  assert.deepEqual(view.actions.map(({ kind, label, requestIds }) => [kind, label, requestIds]), [["retry", "Pay again", ["abc"]]]);
  assert.match(view.actions[0].title, /needs your permission/);
  assert.equal(view.requestId, "abc");
});

test("every charge has its chip", () => {
  const chip = (charge, cost = null) => shown({ stage: "failed", failure: failure("no_image", { charge, cost }) }).chip.text;
  assert.deepEqual([chip("no"), chip("yes"), chip("yes", 0.1), chip("unknown")], ["not charged", "charged", "charged $0.10", "charge not known"]);
});

test("a page and the server's English say the same of every failure", () => {
  for (const { failure: told, lines } of read("tests/receipts.json")) {
    const view = shown({ stage: "failed", failure: told });
    const said = [view.headline, ...view.lines, ...view.actions.map(({ title }) => title)];
    const [next] = lines.filter((line) => line.startsWith("Next: "));
    const english = lines.filter((line) => !/^(Request|Charged|Next): /.test(line));
    for (const line of english) assert.ok(said.includes(line), line);
    for (const sentence of said.slice(english.length)) assert.ok(next.includes(sentence), sentence);
  }
});

test("what can be pressed is no advice to read, and addresses are links", () => {
  const steps = [note("next.enter_token", { url: "https://a.example/profile" }), note("next.look_at_generations", { url: "https://a.example/g" })];
  const view = shown({ stage: "failed", failure: failure("token_missing", { next: steps }) });
  assert.deepEqual(view.lines, []);
  assert.deepEqual(view.actions.map(({ kind, url }) => [kind, url]), [["token", undefined], ["open", "https://a.example/g"]]);
});

test("a job that goes on is collected by its id; of a list, the same inputs find all of them", () => {
  const wait = [note("next.wait_on")];
  const late = failure("job_takes_too_long", { request_id: "abc", next: wait });
  assert.deepEqual(shown({ stage: "failed", failure: late }).actions[0].requestIds, ["abc"]);
  assert.deepEqual(kinds(shown({ stage: "failed", failure: failure("items_failed", { next: wait }) })), ["again"]);
});

test("a list asks for all its permissions at once", () => {
  const steps = ["a", "b"].map((request_id) => note("next.allow_retry", { request_id }));
  const view = shown({ stage: "failed", failure: failure("items_failed", { next: steps }) });
  assert.deepEqual(view.actions.map(({ requestIds }) => requestIds), [["a", "b"]]);
});

test("a delivery offers a new take; a cancelled job is not collected", () => {
  assert.deepEqual(kinds(shown({ stage: "delivered", total: 1 })), ["take"]);
  assert.deepEqual(kinds(shown({ stage: "stopped", request_id: "abc" })), ["collect"]);
  assert.deepEqual(kinds(shown({ stage: "stopped", request_id: "abc", notes: [note("cancel.cancelled")] })), []);
  assert.deepEqual(kinds(shown({ stopped: true })), []);
  assert.deepEqual(kinds(describe(abandoned(report({ request_id: "abc" })), t)), ["collect", "jobs"]);
});

test("what a setting decides leads to the settings, and says what to set there", () => {
  for (const kind of ["next.raise_budget", "next.state_max_cost"]) {
    const view = shown({ stage: "failed", failure: failure("over_budget", { next: [note(kind)] }) });
    assert.deepEqual(kinds(view), ["settings"]);
    assert.match(view.lines.join(" "), /Settings > RunComfy/);
  }
});

test("a receipt is read in the person's language", () => {
  const told = failure("file_gone", { params: { status: 410 }, charge: "yes", cost: 0.1 });
  const view = describe(report({ stage: "failed", failure: told }), texts("fr"));
  assert.equal(view.headline, "Un fichier du r\u00e9sultat n\u2019existe pas. (HTTP 410)");
  assert.equal(view.chip.text, "factur\u00e9 $0.10");
});

test("of a list that was left behind it is told how many jobs go on, and all of them are collected at once", () => {
  const items = { done: 12, total: 20, jobs: ["a", "b"] };
  const view = describe(abandoned(report({ items })), t);
  assert.equal(view.headline, "2 of 20 left running at RunComfy");
  assert.deepEqual(view.actions.map(({ label, requestIds }) => [label, requestIds]), [["Collect all", ["a", "b"]], ["All paid jobs", undefined]]);
  const one = describe(abandoned(report({ items: { ...items, jobs: ["a"] } })), t);
  assert.deepEqual([one.headline, one.actions[0].label], ["1 of 20 left running at RunComfy", "Collect this job"]);
  assert.equal(abandoned(report({ items: { ...items, jobs: [] } })), null);
});

test("a list that was stopped says how far it came and what it cost, and offers the jobs that go on", () => {
  const items = { done: 14, total: 20, jobs: ["a", "b"] };
  for (const changes of [{ stopped: true }, { stage: "stopped" }]) {
    const view = shown({ ...changes, items, cost: 1.4 });
    assert.deepEqual([view.headline, view.meta], ["Stopped", "14 of 20 \u00b7 $1.40"]);
    assert.deepEqual(kinds(view), ["collect_all"]);
  }
  const told = failure("items_failed", { params: { failed: 1, total: 20, delivered: 13, unsent: 4 } });
  assert.deepEqual(kinds(shown({ stage: "failed", items, failure: told })), ["collect_all"]);
});

test("after Stop it says so at once, and later what became of the cancel", () => {
  assert.equal(shown({ stopped: true, request_id: "abc" }).headline, "Stopped");
  assert.deepEqual(shown({ stopped: true, request_id: "abc" }).lines, ["The cancel is being sent to RunComfy."]);
  assert.deepEqual(shown({ stopped: true }).lines, []);
  const view = shown({ stage: "stopped", notes: [note("cancel.cancelled")] });
  assert.deepEqual(view.lines, ["Cancelled while it was queued: not charged."]);
});

test("a job that nobody waits for any more is said to run on; without a job there is nothing to say", () => {
  assert.equal(describe(abandoned(report({ request_id: "abc" })), t).headline, "Left running at RunComfy");
  assert.equal(abandoned(report()), null);
  const ended = report({ stage: "failed" });
  assert.equal(abandoned(ended), ended);
});

test("what has ended is not timed", () => {
  assert.equal(isTimed(report()), true);
  assert.equal(isTimed(report({ stopped: true })), false);
  assert.equal(hasEnded(report({ stage: "delivered" })), true);
});

function page() {
  const told = [];
  const cleared = [];
  const store = new NodeStatusStore({ now: () => 5, changed: (each) => told.push(each), cleared: (each) => cleared.push(each) });
  return { store, told, cleared };
}

test("the bar never runs backwards within a run and starts anew with the next", () => {
  const { store, told } = page();
  for (const fraction of [0.2, 0.5, 0.3, null]) store.receive(report({ fraction }));
  store.receive(report({ fraction: 0.1, prompt: "next" }));
  assert.deepEqual(told.map((each) => each.fraction), [0.2, 0.5, 0.5, 0.5, 0.1]);
});

test("a prompt's end settles the nodes that told none", () => {
  const { store, told, cleared } = page();
  store.receive(report({ node: "1", request_id: "abc" }));
  store.receive(report({ node: "2", stage: "preparing" }));
  store.receive(report({ node: "3", stage: "delivered" }));
  store.receive(report({ node: "4", prompt: "another" }));
  store.promptEnded("p");
  assert.equal(told.at(-1).left, true);
  assert.deepEqual(cleared.map((each) => each.node), ["2"]);
  assert.deepEqual(store.timed().map((each) => each.node), ["4"]);
});

test("what the server kept fills in what the page has not heard, and nothing else", () => {
  const { store } = page();
  store.receive(report({ node: "1", stage: "delivered" }));
  store.restore([
    report({ node: "1", live: true }),
    report({ node: "2", live: true }),
    report({ node: "3", live: false, request_id: "abc" }),
    report({ node: "4", live: false }),
  ]);
  assert.deepEqual(store.all().map((each) => [each.node, each.stage, Boolean(each.left)]), [
    ["1", "delivered", false],
    ["2", "running", false],
    ["3", "running", true],
  ]);
});

test("what was left running is told anew once the server knows more", () => {
  const { store } = page();
  store.restore([report({ node: "1", live: false, request_id: "abc" })]);
  store.restore([report({ node: "1", stage: "delivered", request_id: "abc", total: 1, live: false })]);
  assert.deepEqual(store.all().map((each) => [each.stage, Boolean(each.left)]), [["delivered", false]]);
});

test("after the server went, nothing is said to run that it knows nothing of", () => {
  const { store, cleared } = page();
  store.receive(report({ node: "1", request_id: "abc" }));
  store.receive(report({ node: "2" }));
  store.receive(report({ node: "3", request_id: "def" }));
  store.restore([report({ node: "3", request_id: "def", live: true })]);
  assert.deepEqual(store.all().map((each) => [each.node, Boolean(each.left)]), [["1", true], ["3", false]]);
  assert.deepEqual(cleared.map((each) => each.node), ["2"]);
});

test("what the host's cache hands out again is told as a kept copy, on the nodes of that workflow", () => {
  const { store } = page();
  store.receive(report({ node: "1", stage: "delivered", total: 1, cost: 0.1 }));
  store.receive(report({ node: "1", workflow: "another", stage: "delivered" }));
  store.receive(report({ node: "2", stage: "failed" }));
  store.cached("next", "w", ["1", "2", "9"]);
  const told = store.all().map((each) => [each.node, each.workflow, each.kept, each.prompt]);
  assert.deepEqual(told.sort(), [["1", "another", false, "p"], ["1", "w", true, "next"], ["2", "w", false, "p"]]);
});

test("memory is bounded", () => {
  const { store } = page();
  for (let node = 0; node < 600; node += 1) store.receive(report({ node: String(node) }));
  assert.equal(store.all().length, 500);
});
