// Counts on, from one answer to the next, until every user was looked at.
const shown = document.getElementById("flaggate-counting");

async function next(address) {
  const answer = await fetch(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return answer.ok && page.getElementById("flaggate-counting");
}

for (let on, link; (link = shown?.querySelector("a[href*=so_far]")); ) {
  shown.ariaBusy = "true"; // so that only the end is read aloud
  on = await next(link.href).catch(() => null);
  if (!on) break;
  shown.replaceChildren(...on.childNodes);
}
if (shown) shown.ariaBusy = "false";
