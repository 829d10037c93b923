"use strict";
const known = JSON.parse(document.getElementById("details").textContent);
const panel = document.querySelector("aside");
const pictures = [...document.querySelectorAll("section svg")];
const boxes = [...document.querySelectorAll(".box")];
const changes = boxes.filter((box) => box.matches(".added, .removed, .changed"));
let pinned = null, at = -1, zoom = 1;

function show(box) {
  boxes.forEach((other) => other.classList.toggle("on", box !== null && other.dataset.same === box.dataset.same));
  panel.replaceChildren();
  if (box === null) return;
  const [title, rows] = known[box.dataset.box];
  const list = document.createElement("dl");
  for (const [name, text] of rows) {
    list.append(Object.assign(document.createElement("dt"), { textContent: name }));
    list.append(Object.assign(document.createElement("dd"), { textContent: text }));
  }
  panel.append(Object.assign(document.createElement("h3"), { textContent: title }), list);
}

function pin(box) {
  pinned = box;
  show(box);
}

function go(step) {
  if (!changes.length) return;
  at = (at + step + changes.length) % changes.length;
  changes[at].scrollIntoView({ block: "center", inline: "center" });
  pin(changes[at]);
}

function scale(to) {
  zoom = Math.min(Math.max(to, 0.1), 3);
  for (const picture of pictures) {
    picture.setAttribute("width", picture.viewBox.baseVal.width * zoom);
    picture.setAttribute("height", picture.viewBox.baseVal.height * zoom);
  }
}

function fit(least = 0) {
  const wide = pictures.reduce((sum, picture) => sum + picture.viewBox.baseVal.width + 26, 0);
  scale(Math.max(Math.min(1, document.querySelector("main").clientWidth / wide), least));
}

const act = { next: () => go(1), last: () => go(-1), in: () => scale(zoom * 1.25), out: () => scale(zoom / 1.25), fit: () => fit() };
document.querySelectorAll("button").forEach((button) => button.addEventListener("click", act[button.value]));
addEventListener("mouseover", ({ target }) => { if (!pinned) show(target.closest(".box")); });
addEventListener("click", ({ target }) => {
  if (!target.closest("button, aside, header")) pin(target.closest(".box"));
});
addEventListener("keydown", ({ key }) => {
  const bound = { Escape: () => pin(null), n: act.next, p: act.last, "+": act.in, "-": act.out, "0": act.fit }[key];
  if (bound) bound();
});

fit(0.6);
const start = document.querySelector(".end") ?? boxes[0];
if (start) start.scrollIntoView({ block: "nearest", inline: "center" });
