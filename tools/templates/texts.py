"""The notes of the templates: what each shows, what it costs, and what to do before the first run. ASCII."""

from __future__ import annotations

TOKEN = "**Before the first run:** enter your API token in Settings > RunComfy."
PAID_ONCE = "**The same inputs are paid for once.** Run them again and the images come back without a charge."


def note(title: str, *paragraphs: str, cost: str) -> str:
    """Return a note in Markdown."""
    return "\n\n".join((f"## {title}", *paragraphs, TOKEN, f"**Cost:** {cost}"))


TEXT = note(
    "Text to image",
    "Makes images from a prompt with Google's Nano Banana 2, hosted by RunComfy.",
    PAID_ONCE + " For a new take, change the seed.",
    cost="a run is one paid job. Every image you ask for is charged; a higher resolution and the web search cost "
    "more.",
)
LIST = note(
    "List of prompts",
    "Four prompts, one a line, go through one node as a list: each is a job of its own, several at once, and the "
    "node shows one state for all. A list of images works alike.",
    "With **On failure** on skip, one that is blocked does not hide the others, and what was paid is kept either "
    "way. A line that was paid for is not paid for again, whatever else is in the list.",
    cost="a run is four paid jobs, one for each line.",
)
DRAFT = note(
    "A draft, then 4K",
    "The first node makes a draft at 1K. The second one makes the same image large, from the draft's hosted "
    "address, so "
    "nothing is uploaded.",
    "**To see the draft first:** select the second node and the last one, press Ctrl+M to mute them, and run. "
    "When you "
    "like the draft, press Ctrl+M again and run: the draft comes back without a charge.",
    cost="two paid jobs, one for each node; the one at 4K costs more.",
)
PRODUCT = note(
    "Product shot",
    "One product, four images of it in one job, upright for a shop's page. Name the material, the ground, the "
    "light "
    "and the lens in the prompt.",
    PAID_ONCE,
    cost="a run is one paid job of four images, and every image is charged. Two images cost half.",
)
TAKES = note(
    "Several takes compared",
    "Two takes of one prompt that differ in their seeds alone, side by side.",
    "To look at all takes that you have paid for, choose **Takes...** in the menu of a node: compare them with a "
    "slider "
    "and choose the one that flows on. That sets its seed, and the next run hands it out without a charge.",
    cost="two paid jobs, one for each seed.",
)
EDIT = note(
    "Edit an image",
    "Edits an image by a prompt with Google's Nano Banana Pro, hosted by RunComfy. The image is sent losslessly "
    "where it "
    "fits into the request.",
    PAID_ONCE + " For a new take, change the rerun seed.",
    cost="a run is one paid job. Every image you ask for is charged; a higher resolution costs more.",
)
REFERENCES = note(
    "Several references",
    "Three references of three sizes in one edit. Each socket takes an image or a batch of any size; nothing is "
    "cropped "
    "or stretched to fit the others. The prompt calls them image 1, image 2 and image 3, in the order of the "
    "sockets. "
    "Web addresses, one a line, come after them. There may be 20 in all.",
    cost="a run is one paid job. Every image you ask for is charged; a higher resolution costs more.",
)
CHARACTER = note(
    "Character sheet",
    "One image of a character becomes a sheet: the same character from three sides. Use the sheet as a reference "
    "of "
    "later edits, and the character stays the same.",
    PAID_ONCE + " For a new take, change the rerun seed.",
    cost="a run is one paid job.",
)
STYLE = note(
    "Style transfer",
    "The first node paints a style, the second one takes it over: image 1 is what is shown, image 2 how it is "
    "painted. "
    "Connect an image of your own in place of the first node, and only the edit is paid for.",
    cost="two paid jobs, one for each node. Change only the second prompt, and only the edit is paid for again.",
)
BY_ADDRESS = note(
    "Text to image into edit",
    "The first node makes an image, the second one edits it. Between them travels the image's hosted address, so "
    "nothing "
    "is uploaded.",
    cost="two paid jobs, one for each node. Change only the second prompt, and only the edit is paid for again.",
)
CHAIN = note(
    "A chain of edits",
    "One image, then two edits, each of the image before it. Hosted addresses travel between the nodes, so "
    "nothing is "
    "uploaded.",
    "Change the last prompt, and only the last job is paid for again: the nodes before it hand out their kept "
    "copies.",
    cost="three paid jobs, one for each node.",
)
COLLECT = note(
    "Collect a paid job",
    "Fetches the images of a job that is already paid for. Paste its request id, as a node, its receipt or "
    "RunComfy's "
    "Generations page shows it.",
    "Jobs of this ComfyUI are in the tab **RunComfy** beside the canvas: drag one onto the canvas, or collect it "
    "there "
    "without any node.",
    cost="nothing. No job is submitted.",
)
