// Embed a provider's widget, and tell the ingress when it has finished.
//
// session.json, beside this page, is the answer to a begin with "mode": "embed". In
// production your own server makes it for the person who is signed in; it holds a
// credential of theirs, and the API key that got it never comes into a browser.
"use strict";

const told = document.getElementById("told");
const widget = document.getElementById("widget");

// A script that is set as text does not run: each is made anew, in its order.
function place(snippet) {
  const parsed = new DOMParser().parseFromString(snippet, "text/html");
  for (const part of [...parsed.head.childNodes, ...parsed.body.childNodes]) {
    if (part.nodeName !== "SCRIPT") {
      widget.append(part);
      continue;
    }
    const script = document.createElement("script");
    for (const { name, value } of part.attributes) script.setAttribute(name, value);
    script.textContent = part.textContent;
    script.async = false;
    widget.append(script);
  }
}

// What the three widgets say at their end (their guides, seen 2026-11-21): Identomat
// posts "DONE", id beyond a message "uniicy:complete", Biometric.kz Flow fires the
// event "finish" on this window. A hint each, and no more: the decision is made from
// what the provider's API says.
function says(data) {
  return data === "DONE" || data === "uniicy:complete" ||
    data?.type === "uniicy:complete" || data?.event === "uniicy:complete";
}

// Only the widget's own frame may say so.
function isWidget(source) {
  return [...widget.querySelectorAll("iframe")].some((f) => f.contentWindow === source);
}

function whenFinished() {
  return new Promise((resolve) => {
    window.addEventListener("finish", resolve, { once: true });
    window.addEventListener("message", (event) => {
      if (isWidget(event.source) && says(event.data)) resolve();
    });
  });
}

async function main() {
  const answer = await fetch("session.json", { cache: "no-store" });
  if (!answer.ok) throw new Error("there is no session.json: begin a session first");
  const session = await answer.json();
  const finished = whenFinished();
  place(session.embed);
  told.textContent = "Please follow the steps below.";
  await finished;
  widget.replaceChildren();
  told.textContent = "Thank you. We are looking at the result …";
  const taken = await fetch(session.finished_url, { method: "POST" });
  const { kyc_return: statement } = await taken.json();
  if (!taken.ok) throw new Error(`the ingress answered ${taken.status}`);
  told.textContent = "Thank you. You will hear from us.";
  document.body.dataset.state = "finished";
  if (statement) {
    document.getElementById("statement").textContent = statement;
    document.querySelector("details").hidden = false;
  }
}

main().catch((error) => {
  document.body.dataset.state = "failed";
  told.textContent = `Something went wrong: ${error.message}`;
});
